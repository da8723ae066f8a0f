import type { Ping, PingComponents } from '@libp2p/ping';
import { ping } from '@libp2p/ping';

/** Longer than anybody waits for an answer, ms; then the stream is given up, and another may be tried. */
const PING_MS = 10_000;

/**
 * libp2p's ping, with one under way to a peer at most: whoever asks meanwhile gets its answer. A second stream beside the first
 * is against its specification (libp2p/specs, ping, "The dialing peer MUST NOT keep more than one outbound stream"), and
 * libp2p refuses it, which would look as if the peer were silent.
 */
export function sharedPing(): (components: PingComponents) => Ping {
  const make = ping();
  return (components) => {
    const service = make(components);
    const send = service.ping.bind(service);
    const underWay = new Map<string, Promise<number>>();
    service.ping = async (target, { signal } = {}) => {
      signal?.throwIfAborted();
      const key = String(target);
      // not until who asked first gives up: others may wait for it
      const one = underWay.get(key) ?? send(target, { signal: AbortSignal.timeout(PING_MS) });
      if (!underWay.has(key)) {
        underWay.set(key, one);
        const over = () => underWay.delete(key);
        one.then(over, over);
      }
      return await (signal === undefined ? one : untilAborted(one, signal));
    };
    return service;
  };
}

/** @throws `signal.reason` when it fires first */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}
