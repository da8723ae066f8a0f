import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import type { IceCandidate, IceCandidates } from '../../contracts/bootstrap.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { bindingRequest, readBindingAnswer } from './stun.node.ts';

/** RFC 8489 §6.2.1: sent again after 500 ms, then twice as long each time; what has not come by then does not come. */
const RESEND_MS = [0, 500, 1000, 2000];
const ANSWER_MS = 1500;
const DEFAULT_STUN_PORT = 3478;
/** one more than needed to tell the types of NAT apart */
const MAX_SERVERS = 3;

/**
 * Gathers from one UDP socket: the addresses of the network interfaces, and what each STUN server sees of it. The WebRTC
 * library of libp2p on Node asks one server only, and so could not tell a cone from a symmetric NAT.
 */
export const nodeIceCandidates: IceCandidates = {
  async gather(stun, signal) {
    signal.throwIfAborted();
    const socket = createSocket('udp4');
    // an unreachable server is a silent one
    socket.on('error', () => undefined);
    try {
      socket.bind(0);
      await once(socket, 'listening', { signal });
      const { port } = socket.address();
      const servers = stun.slice(0, MAX_SERVERS).map(parseStun);
      const seen = await Promise.all(servers.map((server) => askServer(socket, server, signal)));
      signal.throwIfAborted();
      const mapped = seen.filter((address) => address !== undefined);
      return {
        candidates: [
          ...hostAddresses().map((address): IceCandidate => candidate('host', address, port)),
          ...mapped.map((address): IceCandidate => ({
            ...candidate('srflx', address.address, address.port),
            relatedAddress: '0.0.0.0',
            relatedPort: port,
          })),
        ],
        answered: mapped.length,
      };
    } finally {
      socket.close();
    }
  },
};

interface Server {
  readonly host: string;
  readonly port: number;
}

/** `stun:host:port` (RFC 7064). @throws `invalid_input` */
function parseStun(url: string): Server {
  const match = /^stun:(?<host>\[[0-9a-f:.]+\]|[^\s:/?]+)(?::(?<port>\d{1,5}))?$/i.exec(url)?.groups;
  if (match?.['host'] === undefined) {
    throw new TabmeshError('invalid_input', `"${url}" is no STUN server`, {
      hint: 'It looks like stun:stun.example.org:3478',
    });
  }
  return { host: match['host'].replace(/^\[|\]$/g, ''), port: Number(match['port'] ?? DEFAULT_STUN_PORT) };
}

/** What the server saw; undefined when it does not answer. */
async function askServer(
  socket: Socket,
  server: Server,
  signal: AbortSignal,
): Promise<{ readonly address: string; readonly port: number } | undefined> {
  let address: string;
  try {
    ({ address } = await lookup(server.host, { family: 4 }));
  } catch {
    // no such name: no answer
    return undefined;
  }
  const { id, bytes } = bindingRequest();
  return new Promise((resolve) => {
    const end = (seen?: { readonly address: string; readonly port: number }) => {
      for (const timer of timers) clearTimeout(timer);
      socket.off('message', onMessage);
      signal.removeEventListener('abort', onAbort);
      resolve(seen);
    };
    const onAbort = () => end();
    const onMessage = (message: Buffer) => {
      const seen = readBindingAnswer(message, id);
      if (seen !== undefined) end(seen);
    };
    socket.on('message', onMessage);
    signal.addEventListener('abort', onAbort, { once: true });
    let after = 0;
    const timers = RESEND_MS.map((wait) => {
      after += wait;
      return setTimeout(() => socket.send(bytes, server.port, address, () => undefined), after);
    });
    timers.push(setTimeout(end, after + ANSWER_MS));
  });
}

function hostAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address);
}

function candidate(type: 'host' | 'srflx', address: string, port: number): IceCandidate {
  return { type, protocol: 'udp', address, port, relatedAddress: null, relatedPort: null };
}
