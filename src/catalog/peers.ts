import type { MeshPeer } from '../contracts/mesh.ts';
import type * as z from '../tools/zod.ts';
import type { peer } from './schemas.ts';

/** The wire form of a peer of the room. */
export function peerToWire({ latencyMs, shardRecords, tools, served, ...same }: MeshPeer): z.output<typeof peer> {
  return {
    peer: same.peer,
    device: same.device,
    name: same.name,
    kind: same.kind,
    link: same.link,
    latency_ms: latencyMs,
    visible: same.visible,
    tools: [...tools],
    shard_records: shardRecords,
    served: { ...served },
    load: same.load,
    battery: same.battery === null ? null : { ...same.battery },
    links: same.links.map(({ peer, direct, latencyMs: ms }) => ({ peer, direct, latency_ms: ms })),
    since: same.since,
  };
}
