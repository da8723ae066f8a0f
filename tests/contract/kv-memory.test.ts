import { createMemoryStore } from '../../src/mesh/storage/kv-memory.ts';
import { kvContract } from './kv.ts';

kvContract('memory', async () => ({ open: async () => createMemoryStore(), dispose: async () => undefined }), {
  persistent: false,
});
