import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { count, wholeNumber } from '../fields.ts';
import { DEGRADED, seconds } from './answer.ts';
import { capabilityFilter, orNull, STICKY } from './fields.ts';
import { listed, STATUSES } from './schemas.ts';
import { SORT_KEYS, sortPeers } from './sort-peers.ts';

/** Answered from what the peer knows, without asking anybody. */
const TIMEOUT_MS = 5000;
/** four times the largest room */
const MAX_LIMIT = 1000;

/** The peers that this one knows. */
export const peerList = defineTool({
  name: 'peer_list',
  category: 'peers',
  title: 'List known peers',
  description:
    'Lists the other peers that this peer is linked to, is linking to, or has heard of lately, with filters, order and ' +
    'pages. Use list_peers for the room as people see it, with names and devices.',
  access: 'read',
  runtime: 'auto',
  idempotent: true,
  requiresP2p: true,
  sticky: STICKY,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    status_filter: orNull(z.enum(STATUSES), 'only peers that stand so; null: all'),
    capability_filter: capabilityFilter,
    sort_by: z._default(
      z
        .enum(SORT_KEYS)
        .check(z.describe('latest seen, lowest latency, highest bandwidth, or peer id; unknown values last')),
      'last_seen',
    ),
    limit: wholeNumber(1, MAX_LIMIT, 100, 'peers to return at most'),
    offset: z._default(count('peers to leave out first'), 0),
  }),
  output: listed,
  run({ ports: { network } }, { status_filter, capability_filter, sort_by, limit, offset }) {
    if (!network.available()) {
      return Promise.resolve({ ...DEGRADED, peers: [], total_count: 0, returned_count: 0, has_more: false, sort_by });
    }
    const fitting = network
      .list()
      .filter(({ status }) => status_filter === null || status === status_filter)
      .filter(({ capabilities }) => (capability_filter ?? []).every((wanted) => capabilities.includes(wanted)));
    const page = sortPeers(fitting, sort_by).slice(offset, offset + limit);
    return Promise.resolve({
      success: true,
      peers: page.map((known) => ({
        peer_id: known.peer,
        multiaddr: known.multiaddr,
        status: known.status,
        capabilities: [...known.capabilities],
        last_seen: seconds(known.lastSeen),
        connected_since: seconds(known.connectedSince),
        reliability_score: known.reliability,
      })),
      total_count: fitting.length,
      returned_count: page.length,
      has_more: offset + page.length < fitting.length,
      sort_by,
    });
  },
});
