import type { RunCommand } from './command.ts';
import { createRestClient } from './rest-client.ts';

/** `tabmesh room`: who is here, and the link that lets others in. */
export const runRoom: RunCommand = async ({ room, stdout, stop }) => {
  const peers = await createRestClient(room).peers(stop);
  for (const { name, kind, link, latencyMs, peer } of peers) {
    const latency =
      latencyMs === null ? '' : ` ${latencyMs < 10 ? latencyMs.toFixed(1) : String(Math.round(latencyMs))} ms`;
    stdout(`${link === 'self' ? 'this peer' : link + latency}\t${kind}\t${name}\t${peer}\n`);
  }
  if (room.invite !== null) stdout(`\nInvite  ${room.invite}\n`);
  return 0;
};
