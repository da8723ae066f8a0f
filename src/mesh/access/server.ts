import type { Connection, Libp2p } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { PROTOCOLS } from '../../contracts/versions.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import { disconnect } from '../membership/disconnect.ts';
import type { JoinChannel } from '../membership/join.ts';
import { messageChannel } from '../membership/message-channel.ts';
import { NONCE_BYTES } from '../membership/proof.ts';
import type { AccessHello } from './messages.ts';
import {
  ACCESS_VERSIONS,
  decodeAccessHello,
  decodeAccessProof,
  encodeAccess,
  MAX_ACCESS_MESSAGE_BYTES,
} from './messages.ts';
import type { AccessGrant } from './present.ts';
import { isAccessProof } from './proof.ts';

/** A peer presents its key at once; what it asks for meanwhile waits as long, and a connection without a key ends then. */
export const ACCESS_TIMEOUT_MS = 5_000;
/** The key once, and again for new TURN credentials. */
const MAX_STREAMS = 2;

/** A key as the relay looks it up. */
export interface StoredAccessKey {
  readonly name: string;
  /** see `AccessSecrets` */
  readonly id: Uint8Array;
  /** see `AccessSecrets` */
  readonly storedKey: Uint8Array;
}

export interface AccessServerOptions {
  /** @returns undefined for a key that the relay never gave, or has taken back */
  readonly find: (id: Uint8Array) => StoredAccessKey | undefined;
  /** anyone may use the relay */
  readonly open: boolean;
  /** for a peer that holds a key */
  readonly ice: (peer: PeerId) => AccessGrant;
  readonly log: Log;
  readonly timeoutMs?: number;
}

/** what is known of one connection */
interface Visit {
  readonly connection: Connection;
  /** the key that was presented; null until then */
  key: StoredAccessKey | null;
  readonly decided: Promise<boolean>;
  readonly decide: (admitted: boolean) => void;
}

/**
 * Who may use the relay: peers that have presented a key on a connection, for as long as it stands. A reservation, circuit
 * or rendezvous that is asked for a moment before the key waits for it, because libp2p reserves as soon as it knows how.
 */
export class AccessServer {
  readonly #options: AccessServerOptions;
  readonly #visits = new Map<string, Visit>();
  #node: Libp2p | null = null;

  constructor(options: AccessServerOptions) {
    this.#options = options;
  }

  /** Begins to serve. @param node the relay's, not started yet, so that nobody comes too early */
  async start(node: Libp2p): Promise<void> {
    this.#node = node;
    node.addEventListener('connection:open', ({ detail }) => {
      this.#visit(detail);
    });
    node.addEventListener('connection:close', ({ detail }) => {
      this.#visits.get(detail.id)?.decide(false);
      this.#visits.delete(detail.id);
    });
    await node.handle(
      PROTOCOLS.access,
      (stream, connection) => {
        const { timeoutMs = ACCESS_TIMEOUT_MS } = this.#options;
        const channel = messageChannel(stream, MAX_ACCESS_MESSAGE_BYTES, AbortSignal.timeout(timeoutMs));
        return this.#serve(channel, connection);
      },
      { maxInboundStreams: MAX_STREAMS },
    );
  }

  /** Whether a peer may use the relay; waits for a key that is on its way. */
  async admits(peer: PeerId): Promise<boolean> {
    if (this.#options.open) return true;
    const connections = this.#node?.getConnections(peerIdFromString(peer)) ?? [];
    const visits = connections.map((connection) => this.#visit(connection));
    if (visits.some((visit) => visit.key !== null)) return true;
    // the first that admits, or false when all are decided
    return Promise.any(visits.map(async ({ decided }) => (await decided) || Promise.reject(new Error('no key')))).then(
      () => true,
      () => false,
    );
  }

  /** Ends the connections of keys that have been taken back. */
  async review(): Promise<void> {
    if (this.#options.open) return;
    const { find } = this.#options;
    const ended = [...this.#visits.values()].filter(({ key }) => key !== null && find(key.id) === undefined);
    for (const { connection, key } of ended) {
      this.#options.log.info('access taken back', { peer: connection.remotePeer.toString(), key: key?.name });
    }
    await Promise.all(ended.map(({ connection }) => disconnect(connection, refusal('the key has been taken back'))));
  }

  async #serve(channel: ReturnType<typeof messageChannel>, connection: Connection): Promise<void> {
    const visit = this.#visit(connection);
    const peer = connection.remotePeer.toString() as PeerId;
    const { open, ice, log } = this.#options;
    try {
      const key = await this.#proven(channel, peer);
      if (key === null && !open) throw refusal('a key is needed');
      const grant = key === null ? NOTHING_MORE : ice(peer);
      // first: what waits for the key may go on before the peer has read its welcome
      if (key !== null) visit.key = key;
      visit.decide(true);
      await channel.write(encodeAccess({ type: 'welcome', ...grant }));
      await channel.close();
    } catch (thrown) {
      const { code, message } = toTabmeshError(thrown, 'protocol_error');
      // who has gone was not refused
      if (code !== 'peer_unreachable') log.info('access refused', { peer, reason: message });
      const known = code === 'unauthorized' || code === 'version_mismatch' ? code : 'protocol_error';
      try {
        await channel.write(encodeAccess({ type: 'refused', code: known, reason: message }));
        await channel.close();
      } catch {
        // it has gone: nobody is left to be told
      }
      visit.decide(open);
    }
  }

  /** @returns the key that the peer has proven to hold; null when it has none, or one that is not known here */
  async #proven(channel: JoinChannel, client: PeerId): Promise<StoredAccessKey | null> {
    const hello = decodeAccessHello(await channel.read());
    const version = agreeVersion(hello);
    const { key: id, nonce: clientNonce } = hello;
    if (id === null) return null;
    const relayNonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    await channel.write(encodeAccess({ type: 'challenge', version, nonce: relayNonce }));
    const { mac } = decodeAccessProof(await channel.read());
    const relay = this.#node?.peerId.toString() as PeerId;
    const stored = this.#options.find(id);
    if (stored === undefined) return null;
    const good = isAccessProof(mac, stored.storedKey, { version, id, client, relay, clientNonce, relayNonce });
    return good ? stored : null;
  }

  #visit(connection: Connection): Visit {
    const known = this.#visits.get(connection.id);
    if (known !== undefined) return known;
    const { open, log, timeoutMs = ACCESS_TIMEOUT_MS } = this.#options;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const visit: Visit = { connection, key: null, decided: promise, decide: resolve };
    this.#visits.set(connection.id, visit);
    const timer = setTimeout(() => {
      resolve(open);
    }, timeoutMs);
    void promise.then((admitted) => {
      clearTimeout(timer);
      if (admitted || connection.status !== 'open') return;
      log.warn('refused', { peer: connection.remotePeer.toString(), protocol: PROTOCOLS.access, reason: 'no key' });
      void disconnect(connection, refusal('no access key was presented'));
    });
    return visit;
  }
}

/** What somebody gets who may use the relay without a key. */
const NOTHING_MORE: AccessGrant = { ice: [], iceTtlMs: null };

/** @throws `version_mismatch` */
function agreeVersion({ minVersion, maxVersion }: AccessHello): number {
  const version = Math.min(maxVersion, ACCESS_VERSIONS.max);
  if (version >= minVersion && version >= ACCESS_VERSIONS.min) return version;
  throw new TabmeshError('version_mismatch', 'no common version of the access protocol');
}

function refusal(why: string): TabmeshError {
  return new TabmeshError('unauthorized', why);
}
