import type { TokenInfo } from '../../../contracts/access.ts';
import type { AccessClass } from '../../../contracts/tools.ts';
import { formatCount, plural } from '../../ui/format.ts';

/** Each class in one word, and what it means for the person who gives it away. */
export const CLASS_WORDS: Readonly<Record<AccessClass, { readonly label: string; readonly hint: string }>> = {
  read: { label: 'Read', hint: 'Search, list and read what the room holds.' },
  compute: { label: 'Compute', hint: 'Run tools that work for it, such as collecting literature.' },
  write: { label: 'Write', hint: 'Change or delete. The device where it happens asks its person first.' },
  admin: { label: 'Administer', hint: 'Other tokens, the audit log, and tools that look after the room.' },
};

/** A class in one word; by its own name one that only a newer relay knows. */
export function classLabel(name: string): string {
  return (CLASS_WORDS as Readonly<Record<string, { readonly label: string } | undefined>>)[name]?.label ?? name;
}

/** More names than this fill the line. */
const MAX_NAMED = 3;

/** What a token is good for, in one line: `Read, compute · all tools · 60 calls a minute`. */
export function scopeText({ classes, tools, perMinute }: Pick<TokenInfo, 'classes' | 'tools' | 'perMinute'>): string {
  const may = classes.map((name) => classLabel(name).toLowerCase()).join(', ');
  return [
    may.charAt(0).toUpperCase() + may.slice(1),
    toolsText(tools),
    perMinute === null ? 'as fast as the relay allows' : `${plural(perMinute, 'call')} a minute`,
  ].join(' · ');
}

/** `all tools`, the names, or how many. */
function toolsText(tools: readonly string[] | null): string {
  if (tools === null) return 'all tools';
  if (tools.length <= MAX_NAMED) return tools.join(', ');
  return `${tools.slice(0, MAX_NAMED - 1).join(', ')} and ${formatCount(tools.length - MAX_NAMED + 1)} more tools`;
}

/** Whether its time is over. @param now ms since the epoch */
export function hasExpired({ expiresAt }: Pick<TokenInfo, 'expiresAt'>, now: number): boolean {
  return expiresAt !== null && now >= expiresAt;
}
