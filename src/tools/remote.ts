import type { Battery } from '../contracts/mesh.ts';
import type { CallCredentials, CallOptions, Place, Principal, ToolMetadata } from '../contracts/tools.ts';
import { TabmeshError } from '../lib/errors.ts';
import type { PeerId } from '../lib/ids.ts';

/** Another peer of the room, as far as the router cares. */
export interface RemotePlace {
  /** `kind` is `peer` or `relay` */
  readonly place: Place;
  readonly tools: readonly ToolMetadata[];
  /** linked directly, not through a relay */
  readonly direct: boolean;
  /** smoothed round trip, ms; null until measured */
  readonly latencyMs: number | null;
  /** its tab is in view; a hidden one is slowed down by its browser */
  readonly visible: boolean;
  /** how busy it has been lately, 0 to 1; null when it does not tell */
  readonly load: number | null;
  readonly battery: Battery | null;
}

/** The other peers of the room; the mesh offers it. */
export interface RemotePlaces {
  list(): readonly RemotePlace[];
  /**
   * Runs one call at a peer.
   * @throws a TabmeshError. It is made by {@link notSent} exactly when the request has not left this peer: only then may
   *   the router begin the call elsewhere.
   */
  call(peer: PeerId, tool: string, args: unknown, principal: Principal, options: RemoteCallOptions): Promise<unknown>;
  /** called after a peer came, went or changed; returns the unsubscribe function */
  subscribe(listener: () => void): () => void;
}

export interface RemoteCallOptions extends CallOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly credentials?: CallCredentials;
}

/** The error of a call whose request never left: the peer is gone or cannot be dialled. */
export function notSent(message: string, cause?: unknown): TabmeshError {
  return new TabmeshError('peer_unreachable', message, {
    hint: 'The peer may have closed its tab; try again, or choose another place.',
    retryable: true,
    details: { sent: false },
    cause,
  });
}

/** Whether an error says that the request never left. */
export function wasNotSent(error: TabmeshError): boolean {
  return error.details['sent'] === false;
}

/**
 * Takes the "never left" mark off an error. The mark speaks of one hop; an error that a tool passes on from a call of its
 * own must not tell our caller that nothing has begun here.
 */
export function asBegun(error: TabmeshError): TabmeshError {
  if (!('sent' in error.details)) return error;
  const details = Object.fromEntries(Object.entries(error.details).filter(([key]) => key !== 'sent'));
  return new TabmeshError(error.code, error.message, {
    ...(error.hint === null ? {} : { hint: error.hint }),
    retryable: error.retryable,
    details,
    cause: error,
  });
}
