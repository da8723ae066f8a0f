import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DoctorCheck } from '../../src/contracts/doctor.ts';
import { inside } from './network.ts';

const ENTRY = fileURLToPath(new URL('peer.ts', import.meta.url));

export interface PeerEvent {
  readonly event: 'nat' | 'granted' | 'ready' | 'peers' | 'called' | 'examined';
  readonly type?: string;
  readonly peer?: string;
  readonly ice?: readonly (readonly string[])[];
  readonly peers?: Readonly<Record<string, string>>;
  readonly answer?: { readonly text?: string };
  readonly checks?: Readonly<Record<string, DoctorCheck>>;
  readonly error?: string;
}

/** A peer of `peer.ts`, running somewhere in the network. */
export interface PeerProcess {
  readonly events: readonly PeerEvent[];
  /**
   * Resolves with the first event that fits, past or to come.
   * @param after how many events of the past do not count
   * @throws when it takes longer, or the peer ends
   */
  until(what: string, fits: (event: PeerEvent) => boolean, ms: number, after?: number): Promise<PeerEvent>;
  /** has it call another peer: a `called` event tells what came of it */
  call(peer: string): void;
  /** has its doctor look: an `examined` event tells what it found */
  examine(): void;
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
    until: (what, fits, ms, after = 0) =>
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
          const found = events.slice(after).find(fits);
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
    examine: () => child.stdin.write('examine\n'),
    log: () => log,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
