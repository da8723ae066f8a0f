import type { Battery, MeshPeer, PeerLink } from '../../contracts/mesh.ts';
import type { Place, ToolMetadata } from '../../contracts/tools.ts';
import type { DeviceId, PeerId } from '../../lib/ids.ts';
import type { Membership } from '../membership/membership.ts';
import { hostOf } from '../node/relay-address.ts';
import type { PresenceState } from '../replica/presence-state.ts';
import type { Presence } from '../replica/presence.ts';
import type { Members } from './members.ts';

/** Another peer as the router needs it; the shape of `RemotePlaces` in `src/tools`. */
export interface RemotePeer {
  readonly place: Place;
  readonly tools: readonly ToolMetadata[];
  readonly direct: boolean;
  readonly latencyMs: number | null;
  readonly visible: boolean;
  readonly load: number | null;
  readonly battery: Battery | null;
}

/** A relay of the invite or the page that is a member, with the `host:port` at which it is linked. */
export interface RelayMember {
  readonly peer: PeerId;
  readonly host: string | null;
}

export interface PeerViewsOptions {
  readonly self: { readonly peer: PeerId; readonly device: DeviceId };
  /** ms since the epoch */
  readonly since: number;
  readonly membership: Pick<Membership, 'linkTo'>;
  readonly members: Pick<Members, 'peers' | 'facts'>;
  readonly presence: Pick<Presence, 'states'>;
  /** what this peer says of itself; undefined while it has said nothing */
  readonly own: () => PresenceState | undefined;
  /** peers that are wanted and not linked yet */
  readonly connecting: () => readonly PeerId[];
}

/** The peers of a room as one of them sees them, joined from what it has proven, measured and been told. */
export class PeerViews {
  readonly #options: PeerViewsOptions;

  constructor(options: PeerViewsOptions) {
    this.#options = options;
  }

  /** this peer first, then linked ones, then those being connected to */
  all(): readonly MeshPeer[] {
    const { self, since, members, own, connecting } = this.#options;
    const linked = members.peers();
    const known = new Set<PeerId>([self.peer, ...linked]);
    return [
      { ...profile(own()), peer: self.peer, device: self.device, link: 'self', latencyMs: 0, since },
      ...linked.flatMap((peer) => this.#linked(peer) ?? []),
      ...connecting()
        .filter((peer) => !known.has(peer))
        .map(strangerYet),
    ];
  }

  /** The links of this peer, for others to see. Rounded, so that they are told anew only when something has changed. */
  links(): readonly PeerLink[] {
    return this.#options.members.peers().flatMap((peer) => {
      const seen = this.#linked(peer);
      if (seen === undefined) return [];
      const latencyMs = seen.latencyMs === null ? null : Math.round(seen.latencyMs);
      return [{ peer, direct: seen.link === 'direct', latencyMs }];
    });
  }

  relayMembers(): readonly RelayMember[] {
    const { members, membership } = this.#options;
    return members.peers().flatMap((peer) => {
      const link = membership.linkTo(peer);
      return link?.member.kind === 'relay' ? [{ peer, host: hostOf(link.connection.remoteAddr) }] : [];
    });
  }

  /** members that can be called */
  callable(): readonly RemotePeer[] {
    const { members, membership } = this.#options;
    return members.peers().flatMap((peer) => {
      const facts = members.facts(peer);
      const seen = this.#linked(peer);
      if (facts === undefined || seen === undefined) return [];
      // a relay that our invite does not name is none for us, but no tab either: work goes to tabs first
      const says = membership.linkTo(peer)?.member.saysRelay === true;
      const kind = says || seen.kind === 'relay' ? 'relay' : 'peer';
      const { device, name, latencyMs, visible, load, battery } = seen;
      const direct = seen.link === 'direct';
      return [{ place: { kind, peer, device, name }, tools: facts.tools, direct, latencyMs, visible, load, battery }];
    });
  }

  #linked(peer: PeerId): MeshPeer | undefined {
    const { members, membership, presence } = this.#options;
    const link = membership.linkTo(peer);
    const facts = members.facts(peer);
    if (link === undefined || facts === undefined) return undefined;
    return {
      ...profile(presence.states().get(peer)),
      kind: link.member.kind,
      peer,
      device: link.member.device,
      link: link.direct ? 'direct' : 'relayed',
      latencyMs: facts.latencyMs,
      since: facts.since,
    };
  }
}

/** introduced by a relay, not proven to be a member */
function strangerYet(peer: PeerId): MeshPeer {
  return { ...profile(undefined), peer, device: '' as DeviceId, link: 'connecting', latencyMs: null, since: 0 };
}

type Profile = Omit<MeshPeer, 'peer' | 'device' | 'link' | 'latencyMs' | 'since'>;

function profile(state: PresenceState | undefined): Profile {
  return {
    name: state?.name ?? '',
    kind: state?.kind ?? 'tab',
    visible: state?.visible ?? true,
    tools: state?.tools ?? [],
    shardRecords: state?.shardRecords ?? 0,
    served: state?.served ?? {},
    load: state?.load ?? null,
    battery: state?.battery ?? null,
    links: state?.links ?? [],
  };
}
