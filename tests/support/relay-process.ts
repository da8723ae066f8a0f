import { runInProcess } from '../../relay/process.ts';
import { startMemoryPeers } from './memory-peers.ts';

// the entry of a relay process whose room is in memory
await runInProcess(startMemoryPeers, '/nonexistent');
