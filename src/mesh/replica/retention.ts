import type { DeviceId } from '../../lib/ids.ts';
import type { DocContent } from './fold.ts';
import type { AuthorHead } from './chain.ts';
import { RETENTION_MS } from './limits.ts';

/**
 * Whether a device has left for good: it was not heard of for {@link RETENTION_MS} and lists nothing. Who lists a dataset
 * stays, however long it is away: others may keep copies of it, and it may come back with its own. Whose fork is known
 * stays, too: it would be taken for honest again.
 * @param content of its document, also what this app cannot read
 * @param now ms since the Unix epoch
 */
function hasLeft(head: AuthorHead, content: DocContent, now: number): boolean {
  const listsNothing = content.datasets.size === 0 && content.segments.size === 0;
  return head.fork === null && head.staged === null && listsNothing && now - head.seenAt > RETENTION_MS;
}

/** What {@link sweepAuthors} needs of the logs and documents. */
export interface Retained {
  authors(): Promise<readonly DeviceId[]>;
  head(author: DeviceId): Promise<AuthorHead | undefined>;
  content(author: DeviceId): DocContent;
  drop(author: DeviceId): Promise<void>;
}

/** Drops the devices that have left, but never this one. @returns those that were dropped */
export async function sweepAuthors(logs: Retained, self: DeviceId, now: number): Promise<readonly DeviceId[]> {
  const gone: DeviceId[] = [];
  for (const author of await logs.authors()) {
    const head = author === self ? undefined : await logs.head(author);
    if (head === undefined || !hasLeft(head, logs.content(author), now)) continue;
    await logs.drop(author);
    gone.push(author);
  }
  return gone;
}
