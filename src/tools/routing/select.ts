import type { Place, Principal, Runtime, ToolMetadata } from '../../contracts/tools.ts';
import type { DeviceId, PeerId } from '../../lib/ids.ts';
import type { KnownPlace, Offer, Offers } from '../places.ts';
import { byPeer } from '../places.ts';
import type { ToolLatencies } from './latencies.ts';
import { namedCids } from './named-cids.ts';
import { rankOffers, type RankedOffer } from './ranked-offers.ts';
import { scorePlace, scoreReasons, type ScoreInput } from './score.ts';

/** A place that could take the call. */
export interface Candidate {
  readonly place: Place;
  /** a relay's peer */
  readonly relay: boolean;
  /** as that place knows the tool */
  readonly metadata: ToolMetadata;
  readonly score: number;
  readonly input: ScoreInput;
}

export interface Exclusion {
  readonly place: Place;
  readonly reason: string;
}

/** Who can take a call. */
export interface Selection {
  /** as {@link Offers} has it */
  readonly metadata: ToolMetadata;
  readonly runtime: Runtime;
  /** best first; equals by peer id */
  readonly candidates: readonly Candidate[];
  /** by peer id; made for who asks */
  excluded(): readonly Exclusion[];
}

/** What is known of places beside what they say of themselves. */
export interface LiveState {
  /** calls of ours that run there now */
  inFlight(peer: PeerId): number;
  /** why the tool must not be called there now */
  refusal(peer: PeerId, tool: string): string | null;
  /** undefined before the tool was called */
  latenciesOf(tool: string): ToolLatencies | undefined;
  full(peer: PeerId): boolean;
  /** devices that hold the dataset of that CID; undefined for a CID that nobody lists */
  holders(cid: string): ReadonlySet<DeviceId> | undefined;
}

export interface Wanted {
  readonly tool: string;
  readonly args: unknown;
  readonly principal: Principal;
  /** the call must run there */
  readonly place?: PeerId | undefined;
}

/**
 * Finds and ranks the places for a call.
 * @param places all of the room, for the explanation
 */
export function selectPlaces(
  wanted: Wanted,
  offers: Offers,
  places: readonly KnownPlace[],
  live: LiveState,
): Selection {
  const { tool, principal, place: pin } = wanted;
  const { metadata, runtime, all } = offers;
  const holders = holdersOf(wanted.args, live);
  const latencies = live.latenciesOf(tool);
  const owned = metadata.access === 'write' && all.some((offer) => isOwn(offer, principal));
  const why = (offer: Offer): string | null => {
    const { place, never, otherVersion } = offer;
    if (never !== null) return never;
    if (pin !== undefined) {
      return place.place.peer === pin ? live.refusal(pin, tool) : 'the call asks for another place';
    }
    if (otherVersion !== null) return otherVersion;
    if (metadata.local && place.place.kind !== 'self') return 'speaks of itself only when it is asked itself';
    if (owned && !isOwn(offer, principal)) return "changes what is kept; the caller's own device does it";
    return live.refusal(place.place.peer, tool);
  };
  const candidates: Candidate[] = [];
  let reordered = false;
  for (const ranked of rankOffers(offers)) {
    if (why(ranked.offer) !== null) continue;
    const candidate = asOfNow(ranked, live, latencies, holders);
    reordered ||= candidate.score !== ranked.score;
    candidates.push(candidate);
  }
  if (reordered) candidates.sort((a, b) => b.score - a.score || byPeer(a, b));
  return {
    metadata,
    runtime,
    candidates,
    excluded() {
      const offering = new Map(all.map((offer) => [offer.place.place.peer, offer]));
      const able = new Set(candidates.map(({ place }) => place.peer));
      return places
        .filter(({ place }) => !able.has(place.peer))
        .map(({ place }) => {
          const offer = offering.get(place.peer);
          return { place, reason: offer === undefined ? 'does not offer the tool' : (why(offer) ?? 'is well again') };
        })
        .sort(byPeer);
    },
  };
}

/** Why a candidate has its score. */
export const reasonsOf = ({ input }: Candidate): string[] => scoreReasons(input);

/** With what changes from call to call; nearly always nothing does. */
function asOfNow(
  { offer, input, score }: RankedOffer,
  live: LiveState,
  latencies: ToolLatencies | undefined,
  holders: ReadonlySet<DeviceId> | undefined,
): Candidate {
  const { place, relay } = offer.place;
  const inFlight = live.inFlight(place.peer);
  const full = live.full(place.peer);
  const slowdown = latencies?.slowdown(place.peer) ?? 1;
  const holdsData = holders?.has(place.device) ?? false;
  const { metadata } = offer;
  if (inFlight === 0 && !full && slowdown === 1 && !holdsData) return { place, relay, metadata, score, input };
  const now = { ...input, inFlight, full, slowdown, holdsData };
  return { place, relay, metadata, score: scorePlace(now), input: now };
}

function isOwn({ place, never }: Offer, principal: Principal): boolean {
  return never === null && principal.kind === 'device' && principal.device === place.place.device;
}

function holdersOf(args: unknown, live: LiveState): ReadonlySet<DeviceId> | undefined {
  for (const cid of namedCids(args)) {
    const found = live.holders(cid);
    if (found !== undefined) return found;
  }
  return undefined;
}
