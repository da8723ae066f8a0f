import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { wholeNumber } from '../fields.ts';
import { DEGRADED, failed } from './answer.ts';
import { multiaddr, orNull, STICKY, timeoutSeconds } from './fields.ts';
import { bootstrapped } from './schemas.ts';

const MAX_TIMEOUT_SECONDS = 300;
/** the longest that may be asked for, and what it takes to answer */
const TIMEOUT_MS = (MAX_TIMEOUT_SECONDS + 5) * 1000;
/** As many as a room has relays, many times over. */
const MAX_CONNECTIONS = 100;

/** Get into the network. */
export const bootstrapNetwork = defineTool({
  name: 'bootstrap_network',
  category: 'peers',
  title: 'Bootstrap the network',
  description:
    'Connects this peer to places to start from, three at a time: the relays of the room, or the addresses that are given. ' +
    'Succeeds when at least min_connections peers (those places and the members linked) are connected. Use it when a room ' +
    'stays empty, or to try another relay.',
  access: 'admin',
  runtime: 'auto',
  idempotent: true,
  requiresP2p: true,
  sticky: STICKY,
  openWorld: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    bootstrap_nodes: orNull(
      z.array(multiaddr).check(z.maxLength(MAX_CONNECTIONS)),
      "multiaddrs; null: the room's relays",
    ),
    timeout: timeoutSeconds(60, MAX_TIMEOUT_SECONDS, 'for all of it'),
    min_connections: wholeNumber(0, MAX_CONNECTIONS, 3, 'connected peers from which on the network is ready'),
    max_connections: wholeNumber(1, MAX_CONNECTIONS, 10, 'places to try at most'),
  }),
  output: bootstrapped,
  async run({ ports: { network }, signal }, { bootstrap_nodes, timeout, min_connections, max_connections }) {
    const none = { connected_count: 0, failed_count: 0, network_ready: false };
    if (!network.available()) return { ...DEGRADED, ...none };
    try {
      const { result, nodesUsed, connectedPeers } = await network.bootstrap(
        {
          ...(bootstrap_nodes !== null && { nodes: bootstrap_nodes }),
          timeoutMs: timeout * 1000,
          maxConnections: max_connections,
        },
        signal,
      );
      const ready = connectedPeers.length >= min_connections;
      return {
        success: ready,
        ...(!ready && { error: `${connectedPeers.length} of ${min_connections} peers connected` }),
        connected_count: connectedPeers.length,
        failed_count: result.failedNodes,
        network_ready: ready,
        bootstrap_nodes_used: [...nodesUsed],
        connected_peers: [...connectedPeers],
        bootstrap_time: result.executionMs / 1000,
        min_connections,
        max_connections,
      };
    } catch (thrown) {
      return { ...failed(thrown, signal), ...none };
    }
  },
});
