import type { Place, ToolMetadata } from '../contracts/tools.ts';
import type { PeerId } from '../lib/ids.ts';
import type { RemotePlace } from './remote.ts';
import { scorePlace } from './score.ts';

/** A place of the room, this peer's own included. */
export interface KnownPlace extends RemotePlace {
  /** a relay's peer */
  readonly relay: boolean;
}

export interface Candidate {
  readonly place: Place;
  readonly metadata: ToolMetadata;
  readonly score: number;
  readonly reasons: readonly string[];
}

/** Who can take a call. */
export interface Selection {
  /** of the newest version on offer */
  readonly metadata: ToolMetadata;
  /** best first */
  readonly candidates: readonly Candidate[];
  readonly excluded: readonly { readonly place: Place; readonly reason: string }[];
}

export interface SelectionOptions {
  /** the call must run there */
  readonly pin?: PeerId | undefined;
  /** calls of ours that run at a peer now */
  readonly inFlight: (peer: PeerId) => number;
}

/**
 * Finds and ranks the places for a tool. Equal scores are ordered by peer id, so that the choice is always the same.
 * @returns undefined when no place offers a tool of that name
 */
export function selectCandidates(
  tool: string,
  places: readonly KnownPlace[],
  { pin, inFlight }: SelectionOptions,
): Selection | undefined {
  const offers = places.map((place) => ({ place, metadata: place.tools.find(({ name }) => name === tool) }));
  const metadata = newest(offers.flatMap((offer) => offer.metadata ?? []));
  if (metadata === undefined) return undefined;

  const candidates: Candidate[] = [];
  const excluded: { place: Place; reason: string }[] = [];
  for (const offer of offers) {
    const reason = exclusion(offer, metadata, pin);
    if (reason !== null || offer.metadata === undefined) {
      excluded.push({ place: offer.place.place, reason: reason ?? 'does not offer the tool' });
      continue;
    }
    const { place, ...state } = offer.place;
    const self = place.kind === 'self';
    const { score, reasons } = scorePlace({
      ...state,
      runtime: metadata.runtime,
      self,
      inFlight: inFlight(place.peer),
    });
    candidates.push({ place, metadata: offer.metadata, score, reasons });
  }
  candidates.sort((a, b) => b.score - a.score || byPeer(a, b));
  excluded.sort(byPeer);
  return { metadata, candidates, excluded };
}

/** Orders by peer id, by code unit: the same on every machine. */
export function byPeer(a: { readonly place: Place }, b: { readonly place: Place }): number {
  return a.place.peer < b.place.peer ? -1 : a.place.peer > b.place.peer ? 1 : 0;
}

/** The first metadata of the highest schema version. */
export function newest(offers: readonly ToolMetadata[]): ToolMetadata | undefined {
  return offers.reduce<ToolMetadata | undefined>(
    (best, offer) =>
      best === undefined || compareVersions(offer.schemaVersion, best.schemaVersion) > 0 ? offer : best,
    undefined,
  );
}

/** Whether a tool with that metadata can run at that place at all. */
export function canRun(metadata: ToolMetadata, place: Pick<KnownPlace, 'relay' | 'place'>): boolean {
  return whyNot(metadata, place) === null;
}

function whyNot(
  { runtime, access }: ToolMetadata,
  { relay, place }: Pick<KnownPlace, 'relay' | 'place'>,
): string | null {
  if (runtime === 'relay' && !relay) return 'runs on a relay only';
  if (access === 'admin' && place.kind !== 'self') return 'is administered by itself only';
  return null;
}

function exclusion(
  { place, metadata }: { readonly place: KnownPlace; readonly metadata: ToolMetadata | undefined },
  wanted: ToolMetadata,
  pin: PeerId | undefined,
): string | null {
  if (metadata === undefined) return 'does not offer the tool';
  const never = whyNot(wanted, place);
  if (never !== null) return never;
  if (pin !== undefined) return place.place.peer === pin ? null : 'the call asks for another place';
  if (compareVersions(metadata.schemaVersion, wanted.schemaVersion) !== 0) {
    return `offers version ${metadata.schemaVersion}; ${wanted.schemaVersion} is the newest here`;
  }
  return null;
}

/** Compares dotted numbers part by part; a part that is missing or no number counts as 0. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [versionParts(a), versionParts(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function versionParts(version: string): number[] {
  return version.split('.').map((part) => (/^\d{1,9}$/.test(part) ? Number(part) : 0));
}
