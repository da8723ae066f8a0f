import type { PeerId } from '@libp2p/interface';
import type { TransportManager } from '@libp2p/interface-internal';

/** A libp2p service that knows which relays keep a place for this node. */
export interface Reservations {
  /** @returns null when the relay keeps none; `skip` on a node that is not called through relays */
  at(relay: PeerId): { readonly expiresAt: number } | null | { readonly skip: string };
  /**
   * Has the relay keep a place for this node, unless it does or this node needs none. libp2p asks a relay for one once, when
   * it gets to know it, and does not come back to one that was busy.
   * @throws when the relay refuses or does not answer
   */
  hold(relay: PeerId, signal: AbortSignal): Promise<void>;
}

/** What circuit-relay-v2's transport shows of itself; its class is not exported. */
interface Reserving {
  readonly reservationStore: {
    getReservation(relay: PeerId): { readonly expire: bigint } | undefined;
    addRelay(relay: PeerId, type: 'discovered'): Promise<unknown>;
  };
}

/** Makes a {@link Reservations}. */
export function reservations(): (components: { readonly transportManager: TransportManager }) => Reservations {
  return ({ transportManager }) => ({
    async hold(relay, signal) {
      const store = transportManager.getTransports().find(isReserving)?.reservationStore;
      if (store === undefined || store.getReservation(relay) !== undefined) return;
      const given = Promise.withResolvers<never>();
      const giveUp = () => {
        given.reject(signal.reason as Error);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      try {
        await Promise.race([store.addRelay(relay, 'discovered'), given.promise]);
      } finally {
        signal.removeEventListener('abort', giveUp);
      }
    },
    at(relay) {
      const transport = transportManager.getTransports().find(isReserving);
      if (transport === undefined) return { skip: 'This peer is called at its own address, not through a relay.' };
      const held = transport.reservationStore.getReservation(relay);
      // seconds since the epoch (circuit relay v2)
      return held === undefined ? null : { expiresAt: Number(held.expire) * 1000 };
    },
  });
}

function isReserving<T extends object>(transport: T): transport is T & Reserving {
  return 'reservationStore' in transport;
}
