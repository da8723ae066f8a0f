import type { Connection } from '@libp2p/interface';
import { TabmeshError } from '../../lib/errors.ts';
import { refusal } from './tokens.ts';

/**
 * An answer over a relayed link may have this many bytes: what every tool of ours stays below when it names data by CID. A
 * circuit is shared by all that two peers have to say, carries so many bytes in all and then ends.
 */
export const MAX_RELAYED_ANSWER_BYTES = 1024 * 1024;

/** Bytes that a link may still carry; null for one without a limit. */
export function bytesLeft({ limits }: Pick<Connection, 'limits'>): number | null {
  return limits?.bytes === undefined ? null : Number(limits.bytes);
}

/** Whether an answer may go over this link. */
export function mayCarry(connection: Pick<Connection, 'limits'>, bytes: number): boolean {
  if (connection.limits === undefined) return true;
  return bytes <= Math.min(MAX_RELAYED_ANSWER_BYTES, bytesLeft(connection) ?? Infinity);
}

/** Tells the caller why it gets no answer, and what to do. */
export function tooLargeForRelay(connection: Pick<Connection, 'limits'>, bytes: number): TabmeshError {
  const left = bytesLeft(connection);
  const rest = left === null ? '' : `, and ${left} bytes are left on it`;
  return refusal(
    'relayed_answer_too_large',
    `the answer has ${bytes} bytes; a relayed link carries answers of at most ${MAX_RELAYED_ANSWER_BYTES} bytes${rest}`,
    {
      hint: 'Ask for less at once, or again when the two peers are linked directly.',
      details: { bytes, maxBytes: MAX_RELAYED_ANSWER_BYTES, bytesLeft: left },
    },
  );
}

/** Refuses a request that the link cannot carry before anything of it leaves. @throws `payload_too_large` */
export function checkRoomFor(connection: Pick<Connection, 'limits'>, bytes: number): void {
  const left = bytesLeft(connection);
  if (left === null || bytes <= left) return;
  throw new TabmeshError(
    'payload_too_large',
    `the request has ${bytes} bytes, and ${left} are left on the relayed link`,
    {
      hint: 'Wait until the two peers are linked directly, or call another peer.',
      details: { bytes, bytesLeft: left, sent: false },
    },
  );
}
