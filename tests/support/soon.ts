import { expect } from 'vitest';

/** A busy machine takes seconds for what takes milliseconds. */
const SOON_MS = 10_000;

/** `expect.poll` with the patience that real sockets on a busy machine need. */
export const soon = <T>(read: () => T) => expect.poll(read, { timeout: SOON_MS });
