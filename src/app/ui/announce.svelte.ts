/** Short messages to the person: shown as toasts, or only spoken. */

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'neutral' | 'failed';
  readonly action: { readonly label: string; readonly run: () => void } | null;
}

/** Long enough to read two lines; toasts with an action stay until they are closed (WCAG 2.2.1). */
const TOAST_MS = 6000;
/** more than this at once would cover the page */
const MAX_TOASTS = 3;

let nextId = 0;
let spokenText = $state('');
let list = $state.raw<readonly Toast[]>([]);

/** What the live region says now. */
export function spoken(): string {
  return spokenText;
}

/** The toasts on screen, oldest first. */
export function toasts(): readonly Toast[] {
  return list;
}

/** Has screen readers say `text` politely; nothing is shown. Saying the same twice is heard twice. */
export function announce(text: string): void {
  // a live region is only read when its text changes: a no-break space makes a repetition a change
  spokenText = text === spokenText ? `${text}\u00a0` : text;
}

/** Shows a toast and says it. Returns its id for {@link dismiss}. */
export function toast(text: string, options: { tone?: Toast['tone']; action?: Toast['action'] } = {}): number {
  const id = (nextId += 1);
  list = [...list, { id, text, tone: options.tone ?? 'neutral', action: options.action ?? null }].slice(-MAX_TOASTS);
  if (!options.action) {
    setTimeout(() => {
      dismiss(id);
    }, TOAST_MS);
  }
  announce(text);
  return id;
}

/** Takes a toast away; an id that is gone already is fine. */
export function dismiss(id: number): void {
  list = list.filter((shown) => shown.id !== id);
}
