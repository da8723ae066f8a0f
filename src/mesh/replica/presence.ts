import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { createDecoder, hasContent, readVarString, readVarUint } from 'lib0/decoding';
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { systemClock } from '../../lib/clock.ts';
import type { Clock } from '../../lib/clock.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { DeviceId, PeerId } from '../../lib/ids.ts';
import { createListeners } from '../../lib/listeners.ts';
import { readPresenceState } from './presence-state.ts';
import type { PresenceState } from './presence-state.ts';

/** 1,000 tool names and counters. */
const MAX_PRESENCE_BYTES = 64 * 1024;
/** Three messages may be lost or late before a visible peer is taken for gone; its closed connection tells sooner. */
const RENEW_MS = 15_000;
const VISIBLE_EXPIRY_MS = 3 * RENEW_MS;
/** Browsers run the timers of background tabs once a minute, measured up to 59.9 s apart. */
const HIDDEN_EXPIRY_MS = 150_000;

/** Who is here, as each peer says it of itself. */
export interface Presence {
  /** says something new about this peer; sent through `onSend` */
  setLocal(state: PresenceState): void;
  /** this peer's state as a message, for a peer that has just connected. @throws `internal` before the first `setLocal` */
  encode(): Uint8Array;
  /**
   * Takes a message from a proven member.
   * @throws `protocol_error` when it is malformed or not about its sender
   */
  receive(from: PeerId, bytes: Uint8Array): void;
  /** the others, by peer */
  states(): ReadonlyMap<PeerId, PresenceState>;
  /** the connection to the peer is gone */
  remove(peer: PeerId): void;
  /** after `states()` changed; returns the unsubscribe function */
  subscribe(listener: () => void): () => void;
  /** called with a message for every connected member, after `setLocal` and from time to time; returns the unsubscribe function */
  onSend(listener: (bytes: Uint8Array) => void): () => void;
  close(): void;
}

export interface PresenceOptions {
  readonly self: PeerId;
  /** the device that a member proved to belong to when it joined; what it says otherwise is refused */
  readonly deviceOf?: (peer: PeerId) => DeviceId | undefined;
  readonly clock?: Clock;
  /** how often this peer's state is sent again, ms */
  readonly renewMs?: number;
}

/** Presence over Yjs awareness (`y-protocols/awareness`). */
export function createPresence(options: PresenceOptions): Presence {
  const { self, deviceOf, clock = systemClock, renewMs = RENEW_MS } = options;
  const doc = new Y.Doc();
  doc.clientID = clientIdOf(self);
  const awareness = new Awareness(doc);
  // its own timer knows neither our clock nor background tabs
  clearInterval(awareness._checkInterval as ReturnType<typeof setInterval>);
  // starting at the time, a peer that reloads goes on above the clock at which the others remember it
  awareness.meta.set(awareness.clientID, { clock: clock.now(), lastUpdated: clock.now() });

  const seen = new Map<PeerId, { readonly state: PresenceState; readonly at: number }>();
  const changed = createListeners();
  const sending = createListeners();
  const closing = new AbortController();
  let local: PresenceState | undefined;

  const encode = () => {
    if (local === undefined) throw new TabmeshError('internal', 'presence: nothing was said about this peer yet');
    return encodeAwarenessUpdate(awareness, [awareness.clientID]);
  };
  const send = (state: PresenceState) => {
    awareness.setLocalState(state);
    sending.notify();
  };

  const drop = (peer: PeerId) => {
    const client = clientIdOf(peer);
    removeAwarenessStates(awareness, [client], 'gone');
    awareness.meta.delete(client);
    return seen.delete(peer);
  };

  const expire = () => {
    const now = clock.now();
    const gone = [...seen].filter(
      ([, { state, at }]) => now - at > (state.visible ? VISIBLE_EXPIRY_MS : HIDDEN_EXPIRY_MS),
    );
    for (const [peer] of gone) drop(peer);
    if (gone.length > 0) changed.notify();
  };

  const renewLoop = async () => {
    while (!closing.signal.aborted) {
      const due = clock.now() + renewMs;
      await clock.sleep(renewMs, closing.signal);
      if (local !== undefined) send(local);
      // woken late, this tab was frozen: the others' messages of that time are still to be read, so nobody is judged now
      if (clock.now() - due < renewMs) expire();
      else for (const [peer, { state }] of seen) seen.set(peer, { state, at: clock.now() });
    }
  };
  renewLoop().catch((thrown: unknown) => {
    if (!closing.signal.aborted) throw thrown;
  });

  return {
    setLocal: (state) => {
      local = state;
      send(state);
    },
    encode,
    receive: (from, bytes) => {
      const { client, state } = decodeMessage(bytes);
      const device = deviceOf?.(from);
      if (from === self || client !== clientIdOf(from) || state.peer !== from) throw refused('not about its sender');
      if (device !== undefined && state.device !== device) throw refused('of another device than the sender proved');
      const before = awareness.meta.get(client)?.clock;
      applyAwarenessUpdate(awareness, bytes, from);
      // an older message than the one known
      if (awareness.meta.get(client)?.clock === before) return;
      seen.set(from, { state, at: clock.now() });
      changed.notify();
    },
    states: () => new Map([...seen].map(([peer, { state }]) => [peer, state])),
    remove: (peer) => {
      if (drop(peer)) changed.notify();
    },
    subscribe: (listener) => changed.add(listener),
    onSend: (listener) =>
      sending.add(() => {
        listener(encode());
      }),
    close: () => {
      closing.abort();
      awareness.destroy();
      doc.destroy();
    },
  };
}

/** A peer's number among the awareness clients: 48 bits of its id's hash, so that nobody can speak under another's. */
function clientIdOf(peer: PeerId): number {
  const digest = sha256(utf8ToBytes(peer));
  return digest.subarray(0, 6).reduce((number, byte) => number * 256 + byte, 0);
}

/** Looks into an awareness update before it is applied: exactly one client with a state. */
function decodeMessage(bytes: Uint8Array): { client: number; state: PresenceState } {
  if (bytes.byteLength > MAX_PRESENCE_BYTES) throw refused('too large');
  let client: number;
  let json: unknown;
  try {
    const decoder = createDecoder(bytes);
    if (readVarUint(decoder) !== 1) throw refused('not of one peer');
    client = readVarUint(decoder);
    readVarUint(decoder);
    json = JSON.parse(readVarString(decoder));
    if (hasContent(decoder)) throw refused('longer than it says');
  } catch (thrown) {
    if (thrown instanceof TabmeshError) throw thrown;
    throw new TabmeshError('protocol_error', 'presence: malformed', { cause: thrown });
  }
  const state = readPresenceState(json);
  if (state === undefined) throw refused('malformed');
  return { client, state };
}

function refused(why: string): TabmeshError {
  return new TabmeshError('protocol_error', `presence: ${why}`);
}
