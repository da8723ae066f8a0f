import type { BootstrapNode } from '../../contracts/bootstrap.ts';

const DEFAULT_PRIORITY = 5;
/** Somebody named it on purpose: before the defaults. */
export const CUSTOM_PRIORITY = 3;
/** A dial over WebSocket or WebRTC either stands within this or is not going to. */
export const DEFAULT_TIMEOUT_SECONDS = 10;

/** A node with the defaults of what is not said. */
export function bootstrapNode(
  node: Pick<BootstrapNode, 'multiaddr' | 'method'> & Partial<BootstrapNode>,
): BootstrapNode {
  return { priority: DEFAULT_PRIORITY, timeoutSeconds: DEFAULT_TIMEOUT_SECONDS, metadata: {}, ...node };
}

/**
 * The public IPFS nodes (the list that Kubo has). Nothing here uses them unless a caller passes them: a room's peers call
 * nobody but the room's relays.
 */
export const PUBLIC_IPFS_NODES: readonly BootstrapNode[] = [
  '/dnsaddr/bootstrap.libp2p.io/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN',
  '/dnsaddr/bootstrap.libp2p.io/p2p/QmQCU2EcMqAqQPR2i9bChDtGNJchTbq5TbXJJ16u19uLTa',
  '/dnsaddr/bootstrap.libp2p.io/p2p/QmbLHAnMoJPWSCR5Zhtx6BHJX9KiKNN6tpvbUcqanj75Nb',
  '/dnsaddr/bootstrap.libp2p.io/p2p/QmcZf59bWwK5XFi76CZX8cbJ4BhTzzA3gU1ZjYZcYW3dwt',
  '/ip4/104.131.131.82/tcp/4001/p2p/QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ',
].map((multiaddr) => bootstrapNode({ multiaddr, method: 'ipfs_bootstrap' }));
