import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { peerToWire } from '../peers.ts';
import { peer } from '../schemas.ts';

/** Answered from what the peer knows, without asking anybody. */
const TIMEOUT_MS = 5000;

/** Who is in the room. */
export const listPeers = defineTool({
  name: 'list_peers',
  category: 'mesh',
  title: 'List peers',
  description:
    'Lists the peers of the room as the peer that answers sees them: browser tabs and relays, how each is linked and how ' +
    'fast, what it offers, how many records it can search, and how many calls it has served. Use it to see who is here, or ' +
    'why a search misses a device.',
  access: 'read',
  runtime: 'auto',
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({}),
  output: z.strictObject({ peers: z.array(peer) }),
  run: ({ ports }) => Promise.resolve({ peers: ports.mesh.peers().map(peerToWire) }),
});
