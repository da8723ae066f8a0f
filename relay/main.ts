import { fileURLToPath } from 'node:url';
import type { StartRelayPeers } from './peers.ts';
import { runInProcess } from './process.ts';

/** libp2p is loaded when a relay starts: a command that only asks one is done sooner. */
const startRelayPeers: StartRelayPeers = async (options) => {
  const libp2p = await import('./libp2p/index.ts');
  return await libp2p.startRelayPeers(options);
};

await runInProcess(startRelayPeers, fileURLToPath(new URL('../dist/app', import.meta.url)));
