// `npm run test:net`: peers behind NATs, in network namespaces. Needs root, iproute2, iptables and coturn.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRelayChild } from '../support/relay-child.ts';
import { startCoturn, type Coturn } from './coturn.ts';
import { ADDRESSES, INTERNET, inside, startNetwork, type Nat } from './network.ts';
import { startPeerProcess, type PeerProcess } from './peer-process.ts';

/** ICE gives up on a way after some ten seconds; a busy machine needs as long to start a process. */
const LINK_MS = 90_000;
const CALL_MS = 30_000;
/** After this a relayed link has tried for a direct one again, in vain. */
const STAYS_MS = 20_000;

interface Scenario {
  readonly name: string;
  readonly nats: readonly [Nat, Nat];
  readonly turn: boolean;
  readonly link: 'direct' | 'relayed';
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'cone and cone find a direct way with STUN', nats: ['cone', 'cone'], turn: false, link: 'direct' },
  { name: 'symmetric NATs go over the relay', nats: ['symmetric', 'symmetric'], turn: false, link: 'relayed' },
  {
    name: 'symmetric NATs go over TURN where there is one',
    nats: ['symmetric', 'symmetric'],
    turn: true,
    link: 'direct',
  },
];

const missing = whyNot();
if (missing !== null) {
  process.stdout.write(`test:net is skipped: ${missing}\n`);
  process.exit(0);
}
const only = process.argv[2];
let failed = 0;
for (const scenario of SCENARIOS.filter(({ name }) => only === undefined || name.includes(only))) {
  const began = Date.now();
  try {
    await play(scenario);
    process.stdout.write(`ok      ${scenario.name} (${((Date.now() - began) / 1000).toFixed(1)} s)\n`);
  } catch (error) {
    failed++;
    process.stdout.write(`FAILED  ${scenario.name}\n${error instanceof Error ? (error.stack ?? '') : String(error)}\n`);
  }
}
process.exit(failed === 0 ? 0 : 1);

/** Two peers behind the scenario's NATs meet in the room of a relay that both reach. */
async function play({ nats, turn, link }: Scenario): Promise<void> {
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const folder = await mkdtemp(join(tmpdir(), 'tabmesh-nat-'));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const network = await startNetwork(nats);
    undo.push(() => network.close());
    const coturn = await startCoturn(folder);
    undo.push(() => coturn.stop());
    const ice = ['--stun', coturn.stun[0]];
    if (turn) ice.push('--turn', coturn.turn, '--turn-secret-file', coturn.secretFile);
    const place = ['--host', ADDRESSES.relay, '--port', '8787', '--data', join(folder, 'relay')];
    const relay = await startRelayChild([...place, ...ice, '--demo'], inside(INTERNET));
    undo.push(() => relay.stop());
    const { invite } = relay.announced;
    if (invite === null) throw new Error('the relay has no room');

    const peers = network.homes.map(({ host }) => startPeerProcess(host, { invite, stun: coturn.stun }));
    for (const peer of peers) undo.push(() => peer.stop());
    const [a, b] = peers as [PeerProcess, PeerProcess];
    for (const [n, peer] of peers.entries()) {
      const { type } = await peer.until('the type of NAT', ({ event }) => event === 'nat', LINK_MS);
      if (type !== nats[n]) throw new Error(`behind a ${String(nats[n])} NAT it found ${String(type)}`);
    }
    const [first, second] = await Promise.all([ready(a), ready(b)]);
    await Promise.all([linked(a, second, link), linked(b, first, link)]);
    a.call(second);
    const { answer, error } = await a.until('a call', ({ event }) => event === 'called', CALL_MS);
    if (JSON.stringify(answer) !== '{"text":"hello"}') throw new Error(`the call failed: ${String(error)}`);
    if (link === 'relayed') {
      await new Promise((resolve) => setTimeout(resolve, STAYS_MS));
      if (lastLink(a, second) !== 'relayed') throw new Error(`it became ${String(lastLink(a, second))}`);
    }
    checkTurn(coturn, turn, [first, second]);
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

async function ready(peer: PeerProcess): Promise<string> {
  const { peer: id } = await peer.until('starting', ({ event }) => event === 'ready', LINK_MS);
  if (id === undefined) throw new Error('no id');
  return id;
}

async function linked(peer: PeerProcess, other: string, link: string): Promise<void> {
  await peer.until(`a ${link} link`, ({ peers }) => peers?.[other] === link, LINK_MS);
}

function lastLink(peer: PeerProcess, other: string): string | undefined {
  return peer.events.findLast(({ event }) => event === 'peers')?.peers?.[other];
}

/** coturn's log names the user of each allocation: a peer's id, by which the relay has made the credentials. */
function checkTurn(coturn: Coturn, used: boolean, peers: readonly string[]): void {
  const log = coturn.log();
  for (const peer of peers) {
    const allocated = new RegExp(`user <\\d+:${peer}>.*ALLOCATE processed, success`).test(log);
    if (allocated !== used)
      throw new Error(`${peer} has ${used ? 'no' : 'an'} allocation at coturn\n${log.slice(-4000)}`);
  }
}

/** @returns why the tests cannot run here; null when they can */
function whyNot(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux';
  if (process.getuid?.() !== 0) return 'it needs root, for network namespaces';
  for (const [command, flag] of [
    ['ip', '-V'],
    ['iptables', '--version'],
    ['turnserver', '--help'],
  ] as const) {
    if (spawnSync(command, [flag]).error !== undefined) return `there is no ${command}`;
  }
  const probe = spawnSync('ip', ['netns', 'add', 'tabmesh-probe']);
  if (probe.status !== 0) return `there are no network namespaces here: ${String(probe.stderr).trim()}`;
  spawnSync('ip', ['netns', 'del', 'tabmesh-probe']);
  return null;
}
