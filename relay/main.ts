import { fileURLToPath } from 'node:url';
import { startRelayPeers } from './libp2p/index.ts';
import { runInProcess } from './process.ts';

await runInProcess(startRelayPeers, fileURLToPath(new URL('../dist/app', import.meta.url)));
