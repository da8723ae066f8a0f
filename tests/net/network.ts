import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The internet of the tests: a bridge in a namespace, with the servers' addresses on it. */
export const INTERNET = 'tabmesh-net';
export const ADDRESSES = { relay: '10.77.0.2', stun: '10.77.0.3', stun2: '10.77.0.4' } as const;

/**
 * RFC 4787's terms: Linux keeps the source port where it can, so that a mapping does not depend on the destination, and
 * `--random-fully` takes another for each, as symmetric NATs do.
 */
export type Nat = 'cone' | 'symmetric';

/** A host behind a NAT of its own. */
export interface Home {
  /** namespace of the host */
  readonly host: string;
  /** Takes the host's link down, as when a cable is pulled or a machine leaves its network. */
  unplug(): Promise<void>;
  /** Takes it up again. @param address last part of the host's address on its network: another one than before, or not */
  plug(address: number): Promise<void>;
}

/** Last part of a host's address at first. */
export const FIRST_ADDRESS = 2;

/** Namespaces, wired up. */
export interface Network {
  readonly homes: readonly Home[];
  close(): Promise<void>;
}

/** What a command is run in to be at a place of the network. */
export const inside = (namespace: string): readonly string[] => ['ip', 'netns', 'exec', namespace];

/** Builds the internet and one home for each NAT. Needs root. @throws when a command fails; nothing is left then */
export async function startNetwork(nats: readonly Nat[]): Promise<Network> {
  const made: string[] = [];
  const close = async () => {
    for (const name of made.splice(0).reverse()) await ip('netns', 'del', name).catch(() => undefined);
  };
  const namespace = async (name: string) => {
    await ip('netns', 'add', name);
    made.push(name);
    await at(name, 'ip', 'link', 'set', 'lo', 'up');
  };
  try {
    await namespace(INTERNET);
    await at(INTERNET, 'ip', 'link', 'add', 'net0', 'type', 'bridge');
    for (const address of ['10.77.0.1', ...Object.values(ADDRESSES)]) {
      await at(INTERNET, 'ip', 'addr', 'add', `${address}/24`, 'dev', 'net0');
    }
    await at(INTERNET, 'ip', 'link', 'set', 'net0', 'up');
    const homes: Home[] = [];
    for (const [n, nat] of nats.entries()) homes.push(await home(n + 1, nat, namespace));
    return { homes, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function home(n: number, nat: Nat, namespace: (name: string) => Promise<void>): Promise<Home> {
  const number = String(n);
  const [host, router] = [`tabmesh-host${number}`, `tabmesh-nat${number}`];
  const lan = `192.168.${number}`;
  await namespace(router);
  await namespace(host);
  await ip('link', 'add', 'wan', 'netns', router, 'type', 'veth', 'peer', 'name', `home${number}`, 'netns', INTERNET);
  await at(INTERNET, 'ip', 'link', 'set', `home${number}`, 'master', 'net0', 'up');
  await ip('link', 'add', 'lan', 'netns', router, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host);
  await at(router, 'ip', 'addr', 'add', `10.77.0.${String(10 + n)}/24`, 'dev', 'wan');
  await at(router, 'ip', 'addr', 'add', `${lan}.1/24`, 'dev', 'lan');
  for (const device of ['wan', 'lan']) await at(router, 'ip', 'link', 'set', device, 'up');
  const plug = async (address: number) => {
    await at(host, 'ip', 'addr', 'flush', 'dev', 'eth0');
    await at(host, 'ip', 'addr', 'add', `${lan}.${String(address)}/24`, 'dev', 'eth0');
    await at(host, 'ip', 'link', 'set', 'eth0', 'up');
    // taking the link down has taken it away
    await at(host, 'ip', 'route', 'replace', 'default', 'via', `${lan}.1`);
  };
  await plug(FIRST_ADDRESS);
  await at(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  const masquerade = ['-t', 'nat', '-A', 'POSTROUTING', '-o', 'wan', '-j', 'MASQUERADE'];
  await at(router, 'iptables', ...masquerade, ...(nat === 'symmetric' ? ['--random-fully'] : []));
  await at(router, 'iptables', '-P', 'FORWARD', 'DROP');
  await at(router, 'iptables', '-A', 'FORWARD', '-i', 'lan', '-o', 'wan', '-j', 'ACCEPT');
  await at(router, 'iptables', '-A', 'FORWARD', '-m', 'conntrack', '--ctstate', 'ESTABLISHED,RELATED', '-j', 'ACCEPT');
  // a packet that comes before ours has left must not take the port of the mapping for itself
  await at(router, 'iptables', '-A', 'INPUT', '-i', 'wan', '-j', 'DROP');
  const unplug = async () => {
    await at(host, 'ip', 'link', 'set', 'eth0', 'down');
  };
  return { host, unplug, plug };
}

const ip = (...args: string[]) => run('ip', args);
const at = (namespace: string, command: string, ...args: string[]) =>
  run('ip', [...inside(namespace).slice(1), command, ...args]);
