import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a port that can be taken away as networks are: nothing is closed, nothing arrives any more. */
export interface TcpProxy {
  readonly port: number;
  /** Where connections lead; until it is known they wait. */
  lead(port: number): void;
  /** From now on nothing arrives, in either direction, and new connections get no answer. */
  takeAway(): void;
  /**
   * Things arrive again.
   * @param moved what was open stays dead: the address has changed, and whatever was sent to the old one is lost
   */
  giveBack(options?: { readonly moved: boolean }): void;
  close(): Promise<void>;
}

interface Pair {
  readonly near: Socket;
  far: Socket | null;
  /** nothing of it will ever arrive again */
  dead: boolean;
}

/** Starts a {@link TcpProxy} on a free port of loopback. */
export async function startTcpProxy(): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let target: number | null = null;
  let isAway = false;

  const join = (pair: Pair) => {
    if (isAway || target === null || pair.far !== null || pair.dead) return;
    const far = connect(target, '127.0.0.1');
    const { near } = pair;
    pair.far = far;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk) => {
        if (!to.write(chunk)) from.pause();
      });
      to.on('drain', () => {
        if (!isAway) from.resume();
      });
      from.on('close', () => {
        // an end that is told while the way is away does not arrive either
        if (!isAway && !pair.dead) to.destroy();
      });
      from.on('error', () => undefined);
    }
  };
  const server = createServer({ pauseOnConnect: true }, (near) => {
    const pair: Pair = { near, far: null, dead: false };
    pairs.add(pair);
    near.on('close', () => pairs.delete(pair));
    near.on('error', () => undefined);
    join(pair);
    if (pair.far !== null) near.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    port: (server.address() as AddressInfo).port,
    lead(port) {
      target = port;
      for (const pair of pairs) {
        join(pair);
        if (pair.far !== null) pair.near.resume();
      }
    },
    takeAway() {
      isAway = true;
      for (const { near, far } of pairs) {
        near.pause();
        far?.pause();
      }
    },
    giveBack({ moved } = { moved: false }) {
      isAway = false;
      for (const pair of pairs) {
        if (moved) pair.dead = true;
        if (pair.dead) continue;
        join(pair);
        pair.near.resume();
        pair.far?.resume();
      }
    },
    async close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      for (const { near, far } of pairs) {
        near.destroy();
        far?.destroy();
      }
      await closed;
    },
  };
}
