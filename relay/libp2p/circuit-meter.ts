import type { circuitRelayServer } from '@libp2p/circuit-relay-v2';
import type { Connection, Stream } from '@libp2p/interface';
import type { Registrar } from '@libp2p/interface-internal';
import type { Clock } from '../../src/lib/clock.ts';
import type { PeerId } from '../../src/lib/ids.ts';

const HOP = '/libp2p/circuit/relay/0.2.0/hop';
const DAY_MS = 24 * 60 * 60 * 1000;
/** Peers that were here within a day; beyond that the oldest are forgotten. */
const MAX_REMEMBERED = 20_000;

/** What one peer may use of the relay's circuits; a circuit counts for the peer that has asked for it. */
export interface CircuitLimits {
  /** open at once */
  readonly circuits: number;
  /** in both directions, within 24 hours of the first */
  readonly bytesPerDay: number;
}

interface Use {
  open: number;
  bytes: number;
  since: number;
}

/** Counts the circuits of each peer and what goes through them, and ends those of a peer over its limits. */
export class CircuitMeter {
  readonly #limits: CircuitLimits;
  readonly #clock: Clock;
  /** in the order of first use */
  readonly #uses = new Map<PeerId, Use>();
  #open = 0;
  #bytes = 0;

  constructor(limits: CircuitLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Circuits that are open now, and what all there ever were have carried. */
  totals(): { readonly open: number; readonly bytes: number } {
    return { open: this.#open, bytes: this.#bytes };
  }

  /** Whether the peer may have another circuit. */
  allows(peer: PeerId): boolean {
    const { open, bytes } = this.#use(peer);
    return open < this.#limits.circuits && bytes < this.#limits.bytesPerDay;
  }

  /**
   * Puts the meter before libp2p's relay service, which has no hook for it. A stream of the hop protocol that is still open
   * after its request was answered is a circuit.
   */
  before(service: ReturnType<typeof circuitRelayServer>): ReturnType<typeof circuitRelayServer> {
    return (components) => {
      const registrar = this.#metered(components.registrar);
      // libp2p's components are a proxy themselves and cannot be spread
      return service(
        new Proxy(components, {
          get: (target, property) =>
            property === 'registrar' ? registrar : (Reflect.get(target, property) as unknown),
        }),
      );
    };
  }

  #metered(registrar: Registrar): Registrar {
    return new Proxy(registrar, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target);
        if (typeof value !== 'function') return value;
        if (property !== 'handle') return value.bind(target) as unknown;
        const handle: Registrar['handle'] = (protocol, handler, options) =>
          target.handle(
            protocol,
            async (stream, connection) => {
              await handler(stream, connection);
              if (protocol === HOP) this.#count(stream, connection);
            },
            options,
          );
        return handle;
      },
    });
  }

  #count(stream: Stream, connection: Connection): void {
    if (stream.status !== 'open') return;
    const peer = connection.remotePeer.toString() as PeerId;
    const use = this.#use(peer);
    use.open++;
    this.#open++;
    const carried = (bytes: number) => {
      const now = this.#use(peer);
      now.bytes += bytes;
      this.#bytes += bytes;
      if (now.bytes > this.#limits.bytesPerDay)
        stream.abort(new Error('over the bytes that a peer may relay in a day'));
    };
    // the relay already listens: what is counted is not taken from anybody
    stream.addEventListener('message', ({ data }) => {
      carried(data.byteLength);
    });
    const send = stream.send.bind(stream);
    stream.send = (data) => {
      carried(data.byteLength);
      return send(data);
    };
    stream.addEventListener('close', () => {
      use.open--;
      this.#open--;
    });
  }

  #use(peer: PeerId): Use {
    const now = this.#clock.now();
    const known = this.#uses.get(peer);
    if (known !== undefined) {
      if (now - known.since >= DAY_MS) {
        known.bytes = 0;
        known.since = now;
      }
      return known;
    }
    const use: Use = { open: 0, bytes: 0, since: now };
    this.#uses.set(peer, use);
    for (const [old, { open, since }] of this.#uses) {
      const forgettable = open === 0 && now - since >= DAY_MS;
      if (!forgettable && this.#uses.size <= MAX_REMEMBERED) break;
      this.#uses.delete(old);
    }
    return use;
  }
}
