import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { useLittleMemory } from './memory.ts';
import type { StartRelayPeers } from './peers.ts';
import { runRelay } from './run.ts';

/** Node keeps compiled code here, by the hash of its source; it does without where it may not write. */
const COMPILED = fileURLToPath(new URL('../.cache/node', import.meta.url));
/** By convention 128 + the signal's number (2, SIGINT): somebody could not wait. */
const EXIT_IMPATIENT = 130;
/** Under npm a Ctrl-C arrives twice at once, from the terminal and passed on by npm: that is one wish to stop, ms. */
const SAME_WISH_MS = 500;

/**
 * Runs a relay as this process, and ends the process with it. The first SIGINT or SIGTERM stops it in order, the second
 * at once.
 * @param appFolder absolute path of the built app
 */
export async function runInProcess(startRelayPeers: StartRelayPeers, appFolder: string): Promise<never> {
  useLittleMemory();
  // for what is loaded from now on: compiling is a quarter of a start, and the built relay has maps to its sources
  enableCompileCache(COMPILED);
  process.setSourceMapsEnabled(true);
  const stop = new AbortController();
  let toldAt = 0;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      const told = performance.now();
      if (stop.signal.aborted && told - toldAt > SAME_WISH_MS) process.exit(EXIT_IMPATIENT);
      if (!stop.signal.aborted) toldAt = told;
      stop.abort(new DOMException(name, 'AbortError'));
    });
  }
  // a relay serves many rooms and clients: a promise that nobody waits for must not take all of them down
  process.on('unhandledRejection', (reason) => {
    process.stderr.write(
      `tabmesh error unhandled rejection ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}\n`,
    );
  });
  const code = await runRelay({
    args: process.argv.slice(2),
    env: process.env,
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    interactive: process.stderr.isTTY,
    stop: stop.signal,
    startRelayPeers,
    appFolder,
  });
  // libp2p leaves timers behind that would keep the process
  process.exit(code);
}
