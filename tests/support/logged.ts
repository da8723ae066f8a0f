import type { Log } from '../../src/lib/log.ts';

/** A log that keeps its events. */
export function loggedEvents(): { readonly log: Log; readonly events: string[] } {
  const events: string[] = [];
  const keep = (event: string) => {
    events.push(event);
  };
  return { events, log: { debug: keep, info: keep, warn: keep, error: keep } };
}
