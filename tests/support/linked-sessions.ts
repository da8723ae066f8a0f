import type { Connection, ConnectionLimits, Libp2p, Stream } from '@libp2p/interface';
import type { DeviceId, PeerId } from '../../src/lib/ids.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Membership } from '../../src/mesh/membership/membership.ts';
import type { MemberLink } from '../../src/mesh/rpc/member-links.ts';
import type { RpcSessionsOptions } from '../../src/mesh/rpc/sessions.ts';
import { RpcSessions } from '../../src/mesh/rpc/sessions.ts';
import { streamPair } from './stream-pair.ts';

type Accept = (stream: Stream, connection: Connection) => Promise<void>;

/** A peer whose links are made by hand. */
export interface LinkedPeer {
  readonly peer: PeerId;
  readonly sessions: RpcSessions;
}

/** Two peers in memory, each serving the other. */
export interface LinkedPair {
  readonly a: LinkedPeer;
  readonly b: LinkedPeer;
  /** links them once more; a relayed link has limits, and is used only while there is no direct one */
  link(limits?: ConnectionLimits): void;
}

/** @param serve what both do with a request */
export async function linkedPair(
  serve: RpcSessionsOptions['serve'],
  options: Partial<RpcSessionsOptions> = {},
): Promise<LinkedPair> {
  const accepts = new Map<PeerId, Accept>();
  const links = new Map<PeerId, MemberLink[]>();
  let count = 0;
  const make = async (peer: PeerId): Promise<LinkedPeer> => {
    const mine: MemberLink[] = [];
    links.set(peer, mine);
    const node = {
      handle: (_protocol: string, accept: Accept) => {
        accepts.set(peer, accept);
        return Promise.resolve();
      },
    };
    const membership = {
      subscribe: () => () => false,
      linkTo: (other: PeerId) => {
        const to = mine.filter(({ member }) => member.peer === other);
        return to.find(({ direct }) => direct) ?? to[0];
      },
      proven: (connection: Connection) =>
        Promise.resolve(mine.find((link) => link.connection.id === connection.id)?.member),
    };
    const sessions = new RpcSessions({
      node: node as unknown as Libp2p,
      membership: membership as unknown as Membership,
      serve,
      clock: systemClock,
      ...options,
    });
    await sessions.start();
    return { peer, sessions };
  };
  const a = await make('a' as PeerId);
  const b = await make('b' as PeerId);
  const connect = (from: PeerId, to: PeerId, id: string, limits: ConnectionLimits | undefined) => {
    const connection = {
      id,
      remotePeer: { toString: () => to },
      limits,
      newStream: () => {
        const [ours, theirs] = streamPair();
        const back = links.get(to)?.find((link) => link.connection.id === id)?.connection;
        if (back !== undefined) void accepts.get(to)?.(theirs.stream, back);
        return Promise.resolve(ours.stream);
      },
    };
    links.get(from)?.push({
      connection: connection as unknown as Connection,
      member: { peer: to, device: `device-${to}` as DeviceId, kind: 'tab', protocols: [], version: 1 },
      direct: limits === undefined,
    });
  };
  return {
    a,
    b,
    link(limits) {
      const id = `link-${String(count++)}`;
      connect(a.peer, b.peer, id, limits);
      connect(b.peer, a.peer, id, limits);
    },
  };
}
