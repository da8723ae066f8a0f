// `npm run test:net`: peers behind NATs, in network namespaces. Needs root, iproute2, iptables and coturn.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRelayChild } from '../support/relay-child.ts';
import { tabmesh } from '../support/tabmesh.ts';
import { startCoturn, type Coturn } from './coturn.ts';
import { ADDRESSES, FIRST_ADDRESS, INTERNET, inside, startNetwork, type Home, type Nat } from './network.ts';
import { startPeerProcess, type PeerEvent, type PeerProcess } from './peer-process.ts';

/** ICE gives up on a way after some ten seconds; a busy machine needs as long to start a process. */
const LINK_MS = 90_000;
const CALL_MS = 30_000;
/** After this a relayed link has tried for a direct one again, in vain. */
const STAYS_MS = 20_000;

/** A relay is asked every 10 s whether it is there, and has twice 5 s to answer. */
const NOTICED_MS = 40_000;

interface Scenario {
  readonly name: string;
  readonly nats: readonly [Nat, Nat];
  readonly turn: boolean;
  readonly link: 'direct' | 'relayed';
  /** the network of the first peer is taken away and given back at this address */
  readonly comesBackAt?: number;
  /** the first peer is a command that joins by invite, and calls the second */
  readonly command?: boolean;
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
  {
    name: 'a network that goes and comes back',
    nats: ['cone', 'cone'],
    turn: false,
    link: 'direct',
    comesBackAt: FIRST_ADDRESS,
  },
  {
    name: 'a network that goes, and another one that comes',
    nats: ['cone', 'cone'],
    turn: false,
    link: 'direct',
    comesBackAt: FIRST_ADDRESS + 7,
  },
  {
    name: 'a command behind a NAT calls a peer behind another',
    nats: ['cone', 'cone'],
    turn: false,
    link: 'direct',
    command: true,
  },
  {
    name: 'a command behind a symmetric NAT calls a peer behind another over the relay',
    nats: ['symmetric', 'symmetric'],
    turn: false,
    link: 'relayed',
    command: true,
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
async function play({ nats, turn, link, comesBackAt, command = false }: Scenario): Promise<void> {
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

    if (command) {
      await commandCalls({ homes: network.homes, invite, stun: coturn.stun, link, data: join(folder, 'guest') });
      return;
    }
    const peers = network.homes.map(({ host }) => startPeerProcess(host, { invite, stun: coturn.stun }));
    for (const peer of peers) undo.push(() => peer.stop());
    const [a, b] = peers as [PeerProcess, PeerProcess];
    for (const [n, peer] of peers.entries()) {
      const { type } = await peer.until('the type of NAT', ({ event }) => event === 'nat', LINK_MS);
      if (type !== nats[n]) throw new Error(`behind a ${String(nats[n])} NAT it found ${String(type)}`);
    }
    const [first, second] = await Promise.all([ready(a), ready(b)]);
    await Promise.all([linked(a, second, link), linked(b, first, link)]);
    await calls(a, second);
    const home = network.homes[0];
    if (comesBackAt !== undefined && home !== undefined) await comeBack({ a, b, first, second, home, comesBackAt });
    if (link === 'relayed') {
      await new Promise((resolve) => setTimeout(resolve, STAYS_MS));
      if (lastLink(a, second) !== 'relayed') throw new Error(`it became ${String(lastLink(a, second))}`);
    }
    checkTurn(coturn, turn, [first, second]);
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

/** In the first home a command is run that asks the peer in the second who is in the room, as that peer sees it. */
async function commandCalls(scene: {
  readonly homes: readonly Home[];
  readonly invite: string;
  readonly stun: readonly string[];
  readonly link: Scenario['link'];
  readonly data: string;
}): Promise<void> {
  const [here, there] = scene.homes;
  if (here === undefined || there === undefined) throw new Error('two homes are needed');
  const { invite, stun, link, data } = scene;
  const peer = startPeerProcess(there.host, { invite, stun });
  try {
    const id = await ready(peer);
    const args = ['call', 'list_peers', '--place', id, '--invite', invite, '--data', data];
    const began = Date.now();
    let seen: string | undefined;
    // on a busy machine the direct way may take longer than a command waits for it
    do {
      const { stdout, stderr } = await tabmesh(args, { through: inside(here.host) });
      if (stderr !== '') throw new Error(`the command says ${stderr}\n${peer.log()}`);
      const { peers } = JSON.parse(stdout) as { readonly peers: readonly { name: string; link: string }[] };
      seen = peers.find(({ name }) => name.startsWith('Guest '))?.link;
    } while (seen !== link && Date.now() - began < LINK_MS);
    if (seen !== link) throw new Error(`the command is linked ${String(seen)}, not ${link}\n${peer.log()}`);
  } finally {
    await peer.stop();
  }
}

async function ready(peer: PeerProcess): Promise<string> {
  const { peer: id } = await peer.until('starting', ({ event }) => event === 'ready', LINK_MS);
  if (id === undefined) throw new Error('no id');
  return id;
}

async function linked(peer: PeerProcess, other: string, link: string, after = 0): Promise<void> {
  await peer.until(`a ${link} link`, ({ peers }) => peers?.[other] === link, LINK_MS, after);
}

async function calls(peer: PeerProcess, other: string): Promise<void> {
  const after = peer.events.length;
  peer.call(other);
  const { answer, error } = await peer.until('a call', ({ event }) => event === 'called', CALL_MS, after);
  if (answer?.text !== 'hello') throw new Error(`the call failed: ${String(error)}`);
}

/** What the doctor of a peer says of the way to the relay. @throws unless it is this, and says what to do about trouble */
async function doctorSays(peer: PeerProcess, status: 'ok' | 'failed'): Promise<void> {
  const after = peer.events.length;
  peer.examine();
  const { checks } = await peer.until('the doctor', ({ event }) => event === 'examined', NOTICED_MS, after);
  for (const id of ['relay_http', 'relay_socket']) {
    const check = checks?.[id];
    const told = status === 'ok' || (check?.reason.includes('does not answer') === true && check.advice !== null);
    if (check?.status !== status || !told)
      throw new Error(`the doctor should find ${status}: ${JSON.stringify(check)}`);
  }
}

/** The first peer loses its network and has one again: both notice, the doctor names it, and they are together again. */
async function comeBack(scene: {
  readonly a: PeerProcess;
  readonly b: PeerProcess;
  readonly first: string;
  readonly second: string;
  readonly home: Home;
  readonly comesBackAt: number;
}): Promise<void> {
  const { a, b, first, second, home, comesBackAt } = scene;
  const marks = [a.events.length, b.events.length] as const;
  await home.unplug();
  const gone = (other: string) => (event: PeerEvent) =>
    event.event === 'peers' && !['direct', 'relayed'].includes(event.peers?.[other] ?? '');
  await Promise.all([
    a.until('losing the other', gone(second), NOTICED_MS, marks[0]),
    b.until('losing the one without a network', gone(first), NOTICED_MS, marks[1]),
  ]);
  await doctorSays(a, 'failed');
  await doctorSays(b, 'ok');
  const lost = [a.events.length, b.events.length] as const;
  await home.plug(comesBackAt);
  await Promise.all([linked(a, second, 'direct', lost[0]), linked(b, first, 'direct', lost[1])]);
  await calls(a, second);
  await calls(b, first);
  await doctorSays(a, 'ok');
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
