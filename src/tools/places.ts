import type { Ports } from '../contracts/ports.ts';
import type { CallOptions, Place, RoomTool, Runtime, ToolMetadata } from '../contracts/tools.ts';
import type { PeerId } from '../lib/ids.ts';
import type { LocalTools } from './local-tools.ts';
import type { RemotePlace, RemotePlaces } from './remote.ts';
import { createRuntimeDetector } from './runtime.ts';

/** Names of tools that left the room, kept so that "nobody offers it now" can be told from "no such tool". */
const MAX_REMEMBERED_NAMES = 1000;

/** A place of the room, this peer's own included. */
export interface KnownPlace extends RemotePlace {
  /** a relay's peer */
  readonly relay: boolean;
}

export interface Offer {
  readonly place: KnownPlace;
  /** as that place knows the tool */
  readonly metadata: ToolMetadata;
  /** why it could not run there at all; null when it could */
  readonly never: string | null;
  /** of another version: why it runs there only when a call asks for the place; null otherwise */
  readonly otherVersion: string | null;
}

/** Which definitions of other peers count. What comes of it is kept by the function: it answers the same each time. */
export type Accepts = NonNullable<CallOptions['accepts']>;

/** Who offers a tool, as of the last change in the room. */
export interface Offers {
  /** this peer's own where it registers the tool, whatever others say; else of the newest version on offer */
  readonly metadata: ToolMetadata;
  /** where it belongs */
  readonly runtime: Runtime;
  /** ordered by peer id */
  readonly all: readonly Offer[];
}

/** The places of the room and what they offer. */
export interface RoomPlaces {
  known(): readonly KnownPlace[];
  /** undefined when nobody offers a tool of that name @param accepts every definition when absent */
  offers(tool: string, accepts?: Accepts): Offers | undefined;
  /** names that are, or have been, on offer */
  names(): readonly string[];
  list(): readonly RoomTool[];
  /** called after the tools or places changed; returns the unsubscribe function */
  subscribe(listener: () => void): () => void;
}

export interface RoomPlacesOptions {
  readonly self: () => Ports['self'];
  readonly local: LocalTools;
  readonly remotes: RemotePlaces;
  /** how this peer itself is doing */
  readonly condition?: () => Pick<RemotePlace, 'load' | 'battery'>;
}

/** Keeps the places of a room at hand: a call must not cost more the more peers are here. */
export function createRoomPlaces({ self, local, remotes, condition }: RoomPlacesOptions): RoomPlaces {
  const remembered = new Set<string>();
  const declared = (tool: string) => local.list().find(({ name }) => name === tool)?.runtime;
  const detector = createRuntimeDetector({ declared });
  let known: readonly KnownPlace[] | null = null;
  let offers = new WeakMap<Accepts, Map<string, Offers>>();
  const forget = () => {
    known = null;
    offers = new WeakMap();
    detector.invalidate();
  };
  local.subscribe(forget);
  remotes.subscribe(forget);

  const lookAround = (): KnownPlace[] => {
    const { peer, device, name, kind } = self();
    const others = remotes.list().map((remote) => ({ ...remote, relay: remote.place.kind === 'relay' }));
    for (const { tools } of others) {
      for (const tool of tools) if (remembered.size < MAX_REMEMBERED_NAMES) remembered.add(tool.name);
    }
    const own: KnownPlace = {
      place: { kind: 'self', peer, device, name },
      tools: local.list(),
      relay: kind === 'relay',
      direct: true,
      latencyMs: 0,
      visible: true,
      ...(condition?.() ?? { load: null, battery: null }),
    };
    return [own, ...others].sort(byPeer);
  };
  const places = () => (known ??= lookAround());

  const offersOf = (tool: string, accepts: Accepts): Offers | undefined => {
    const found = places().flatMap((place) => {
      const metadata = place.tools.find(({ name }) => name === tool);
      if (metadata === undefined) return [];
      return place.place.kind === 'self' || accepts(metadata) ? [{ place, metadata }] : [];
    });
    // where this peer has the tool itself, its own word counts: another's does not change what is known here
    const own = found.find(({ place }) => place.place.kind === 'self')?.metadata;
    const metadata = own ?? newest(found.filter(couldRun)) ?? newest(found);
    if (metadata === undefined) return undefined;
    // one remembers a tool by its name, whoever defines it
    const detecting = accepts === EVERY ? detector : createRuntimeDetector({ declared });
    const runtime = detecting.detect(tool, metadata.runtime);
    const all = found.map((offer) => ({
      ...offer,
      never: whyNever(metadata, runtime, offer),
      otherVersion: whyOtherVersion(metadata, offer.metadata, own !== undefined),
    }));
    return { metadata, runtime, all };
  };

  const namesNow = () => new Set(places().flatMap(({ tools }) => tools.map(({ name }) => name)));
  const get = (tool: string, accepts: Accepts = EVERY): Offers | undefined => {
    const kept = offers.get(accepts) ?? new Map<string, Offers>();
    offers.set(accepts, kept);
    const made = kept.get(tool) ?? offersOf(tool, accepts);
    if (made !== undefined) kept.set(tool, made);
    return made;
  };
  return {
    known: places,
    offers: get,
    names: () => [...new Set([...remembered, ...namesNow()])],
    list: () =>
      [...namesNow()].sort().flatMap((name): RoomTool[] => {
        const offered = get(name);
        const able = offered?.all.filter(({ never, otherVersion }) => never === null && otherVersion === null) ?? [];
        if (offered === undefined || able.length === 0) return [];
        const { metadata, all } = offered;
        const listed: RoomTool = { metadata, places: able.map(({ place }) => place.place).sort(selfFirst) };
        if (all.some(({ place }) => place.place.kind === 'self')) return [listed];
        const others = all.filter(couldRun).map((offer) => ({ place: offer.place.place, metadata: offer.metadata }));
        return [{ ...listed, offers: others }];
      }),
    subscribe(listener) {
      const off = [local.subscribe(listener), remotes.subscribe(listener)];
      return () => {
        for (const unsubscribe of off) unsubscribe();
      };
    },
  };
}

/** Orders by peer id, by code unit: the same on every machine. */
export function byPeer(a: { readonly place: Place }, b: { readonly place: Place }): number {
  return a.place.peer < b.place.peer ? -1 : a.place.peer > b.place.peer ? 1 : 0;
}

/** The place of a peer, when it is in the room. */
export function placeOf(places: readonly KnownPlace[], peer: PeerId): Place | undefined {
  return places.find(({ place }) => place.peer === peer)?.place;
}

const EVERY: Accepts = () => true;

/** An offer that cannot run by its own word defines nothing for others. */
function couldRun({
  metadata: { access, runtime },
  place: { place, relay },
}: Pick<Offer, 'metadata' | 'place'>): boolean {
  return (access !== 'admin' || place.kind === 'self') && (runtime !== 'relay' || relay);
}

function whyNever(
  { access }: ToolMetadata,
  runtime: Runtime,
  { metadata, place: { relay, place } }: Pick<Offer, 'metadata' | 'place'>,
): string | null {
  if (runtime === 'relay' && !relay) return 'runs on a relay only';
  if ((access === 'admin' || metadata.access === 'admin') && place.kind !== 'self') {
    return 'is administered by itself only';
  }
  return null;
}

function whyOtherVersion(wanted: ToolMetadata, { schemaVersion }: ToolMetadata, own: boolean): string | null {
  if (compareVersions(schemaVersion, wanted.schemaVersion) === 0) return null;
  const here = own ? `this peer itself has ${wanted.schemaVersion}` : `${wanted.schemaVersion} is the newest here`;
  return `offers version ${schemaVersion}; ${here}`;
}

function newest(offers: readonly Pick<Offer, 'metadata'>[]): ToolMetadata | undefined {
  return offers.reduce<ToolMetadata | undefined>(
    (best, { metadata }) =>
      best === undefined || compareVersions(metadata.schemaVersion, best.schemaVersion) > 0 ? metadata : best,
    undefined,
  );
}

/** Compares dotted numbers part by part; a part that is missing or no number counts as 0. */
function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
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

function selfFirst(a: Place, b: Place): number {
  if (a.kind === 'self') return -1;
  if (b.kind === 'self') return 1;
  return byPeer({ place: a }, { place: b });
}
