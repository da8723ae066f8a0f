import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inside } from './network.ts';

const ENTRY = fileURLToPath(new URL('peer.ts', import.meta.url));

export interface PeerEvent {
  readonly event: 'nat' | 'granted' | 'ready' | 'peers' | 'called';
  readonly type?: string;
  readonly peer?: string;
  readonly ice?: readonly (readonly string[])[];
  readonly peers?: Readonly<Record<string, string>>;
  readonly answer?: unknown;
  readonly error?: string;
}

/** A peer of `peer.ts`, running somewhere in the network. */
export interface PeerProcess {
  readonly events: readonly PeerEvent[];
  /** resolves with the first event, past or to come, that fits. @throws when it takes longer, or the peer ends */
  until(what: string, fits: (event: PeerEvent) => boolean, ms: number): Promise<PeerEvent>;
  call(peer: string): void;
  log(): string;
  stop(): Promise<void>;
}

/** Starts a {@link PeerProcess} in a namespace. */
export function startPeerProcess(
  namespace: string,
  options: { readonly invite: string; readonly stun: readonly string[] },
): PeerProcess {
  const [command = 'ip', ...rest] = inside(namespace);
  const child = spawn(command, [...rest, process.execPath, ENTRY, JSON.stringify(options)]);
  const events: PeerEvent[] = [];
  const waiting = new Set<() => void>();
  let partial = '';
  let log = '';
  child.stdout.on('data', (chunk) => {
    const lines = (partial + String(chunk)).split('\n');
    partial = lines.pop() ?? '';
    events.push(...lines.map((line) => JSON.parse(line) as PeerEvent));
    for (const check of waiting) check();
  });
  child.stderr.on('data', (chunk) => (log += String(chunk)));
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
  return {
    events,
    until: (what, fits, ms) =>
      new Promise((resolve, reject) => {
        const fail = (why: string) => {
          clearTimeout(timer);
          waiting.delete(check);
          reject(new Error(`${what}: ${why}; it said ${JSON.stringify(events.slice(-5))}\n${log}`));
        };
        const timer = setTimeout(() => {
          fail(`not within ${String(ms)} ms`);
        }, ms);
        const check = () => {
          const found = events.find(fits);
          if (found === undefined) return;
          clearTimeout(timer);
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        void ended.then(() => {
          fail('the peer has ended');
        });
        check();
      }),
    call: (peer) => child.stdin.write(`call ${peer}\n`),
    log: () => log,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
