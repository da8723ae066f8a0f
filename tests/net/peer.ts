// A peer of a room in a process of its own, reached as a tab is: through a relay's circuit and by WebRTC.
// Argument: JSON of {invite, stun}. Tells what happens as JSON lines; reads the lines `call PEER` and `examine`.
import { createInterface } from 'node:readline';
import { toTabmeshError } from '../../src/lib/errors.ts';
import type { PeerId } from '../../src/lib/ids.ts';
import { lineLog } from '../../src/lib/log.ts';
import { nodeIceCandidates } from '../../src/mesh/bootstrap/ice-candidates.node.ts';
import { classifyNat } from '../../src/mesh/bootstrap/nat-type.ts';
import { parseInvite } from '../../src/mesh/identity/invite.ts';
import { Cleanups } from '../support/live-peers.ts';
import { startTabPeer } from '../support/tab-peers.ts';

const NAT_MS = 15_000;
const EXAMINE_MS = 30_000;

const say = (event: string, fields: Record<string, unknown>) => {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
};
const { invite, stun } = JSON.parse(process.argv[2] ?? '') as { invite: string; stun: readonly string[] };
const log = lineLog((line) => process.stderr.write(`${line}\n`), 'peer', ['info', 'warn', 'error']);

if (stun.length > 0) {
  say('nat', { type: classifyNat(await nodeIceCandidates.gather(stun, AbortSignal.timeout(NAT_MS))) });
}
const tab = await startTabPeer(parseInvite(invite), new Cleanups(), {
  log,
  onGranted: (ice) => {
    say('granted', { ice: ice.map(({ urls }) => urls) });
  },
});
const { mesh, doctor } = tab.room;
let told = '';
mesh.subscribe(() => {
  const peers = Object.fromEntries(mesh.peers().map((one) => [one.peer, one.link]));
  const now = JSON.stringify(peers);
  if (now !== told) say('peers', { peers });
  told = now;
});
say('ready', { peer: tab.peer });

for await (const line of createInterface({ input: process.stdin })) {
  const [command, other = ''] = line.split(' ');
  try {
    if (command === 'call') say('called', { answer: await tab.echo(other as PeerId, 'hello') });
    else {
      const { checks } = await doctor.examine({ signal: AbortSignal.timeout(EXAMINE_MS) });
      say('examined', { checks: Object.fromEntries(checks.map((check) => [check.id, check])) });
    }
  } catch (error) {
    say(command === 'call' ? 'called' : 'examined', { error: toTabmeshError(error).message });
  }
}
process.exit(0);
