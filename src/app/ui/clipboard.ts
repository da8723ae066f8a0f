import { announce, toast } from './announce.svelte.ts';

/**
 * Copies `text` and says so.
 * @param what names it in the message, e.g. "Invite link"
 * @returns false when the browser refused; the person has been told
 */
export async function copy(text: string, what: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    announce(`${what} copied`);
    return true;
  } catch {
    toast(`The browser did not allow copying. Select the text and copy it by hand.`, { tone: 'failed' });
    return false;
  }
}
