import { TabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';

/** A message lists at most MAX_TOPIC_PEERS peers with a few addresses each. */
export const MAX_RENDEZVOUS_MESSAGE_BYTES = 1024 * 1024;
/** A room is a team, not a crowd; also bounds what one topic costs the relay. */
export const MAX_TOPIC_PEERS = 250;
const MAX_ADDRESSES = 8;
/** with the numbers above, a full list stays within a message */
const MAX_ADDRESS_LENGTH = 256;
/** 20 bytes in base32 */
const TOPIC = /^[a-z2-7]{32}$/;

/** A peer as the relay introduces it. Without addresses it is reached through the relay's circuit. */
export interface Introduction {
  readonly peer: PeerId;
  readonly addresses: readonly string[];
}

export interface JoinTopic {
  readonly type: 'join';
  /** derived from the room's secret, so that it names nothing to the relay */
  readonly topic: string;
  readonly addresses: readonly string[];
}

export type RendezvousEvent =
  | { readonly type: 'peers'; readonly peers: readonly Introduction[] }
  | { readonly type: 'joined'; readonly peer: Introduction }
  | { readonly type: 'left'; readonly peer: PeerId };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** UTF-8 JSON of a message. */
export function encodeRendezvous(message: JoinTopic | RendezvousEvent): Uint8Array {
  return encoder.encode(JSON.stringify(message));
}

/** What a relay accepts from a peer. @throws `protocol_error` */
export function decodeJoinTopic(bytes: Uint8Array): JoinTopic {
  const value = parse(bytes);
  const { topic, addresses } = value;
  if (value['type'] !== 'join' || typeof topic !== 'string' || !TOPIC.test(topic)) throw broken();
  return { type: 'join', topic, addresses: readAddresses(addresses) };
}

/** What a peer accepts from a relay. @throws `protocol_error` */
export function decodeRendezvousEvent(bytes: Uint8Array): RendezvousEvent {
  const value = parse(bytes);
  switch (value['type']) {
    case 'peers': {
      const { peers } = value;
      if (!Array.isArray(peers) || peers.length > MAX_TOPIC_PEERS) throw broken();
      return { type: 'peers', peers: peers.map(readIntroduction) };
    }
    case 'joined':
      return { type: 'joined', peer: readIntroduction(value['peer']) };
    case 'left':
      if (typeof value['peer'] !== 'string') throw broken();
      return { type: 'left', peer: value['peer'] as PeerId };
    default:
      throw broken();
  }
}

function readIntroduction(value: unknown): Introduction {
  if (typeof value !== 'object' || value === null) throw broken();
  const { peer, addresses } = value as Record<string, unknown>;
  if (typeof peer !== 'string') throw broken();
  return { peer: peer as PeerId, addresses: readAddresses(addresses) };
}

function readAddresses(value: unknown): string[] {
  if (!Array.isArray(value) || value.length > MAX_ADDRESSES) throw broken();
  return value.map((address: unknown) => {
    if (typeof address !== 'string' || address.length > MAX_ADDRESS_LENGTH) throw broken();
    return address;
  });
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    throw broken(cause);
  }
  throw broken();
}

function broken(cause?: unknown): TabmeshError {
  return new TabmeshError('protocol_error', 'not a rendezvous message', { cause });
}
