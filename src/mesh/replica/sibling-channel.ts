import type { DeviceId } from '../../lib/ids.ts';

/** How a tab tells the other tabs of its device that logs in their common store have grown. */
export interface SiblingChannel {
  /** tells the others, not this tab */
  announce(authors: readonly DeviceId[]): void;
  /** @returns the unsubscribe function */
  subscribe(listener: (authors: readonly DeviceId[]) => void): () => void;
  close(): void;
}
