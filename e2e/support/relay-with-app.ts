import { startRelayPeers } from '../../relay/libp2p/index.ts';
import { runInProcess } from '../../relay/process.ts';

// the relay's program, serving another build of the app: what an update looks like from outside
await runInProcess(startRelayPeers, process.env['E2E_APP_FOLDER'] ?? '/nonexistent');
