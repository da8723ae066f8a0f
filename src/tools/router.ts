import type { Ports } from '../contracts/ports.ts';
import type {
  CallOptions,
  CallRequest,
  Place,
  RoomTool,
  RoomTools,
  RouteExplanation,
  ToolMetadata,
} from '../contracts/tools.ts';
import type { Clock } from '../lib/clock.ts';
import { startDeadline, type Deadline } from '../lib/deadline.ts';
import { toTabmeshError, type ErrorCode, type TabmeshError } from '../lib/errors.ts';
import type { PeerId } from '../lib/ids.ts';
import {
  byPeer,
  canRun,
  newest,
  selectCandidates,
  type Candidate,
  type KnownPlace,
  type Selection,
} from './candidates.ts';
import { callLimit, type LocalTools } from './local-tools.ts';
import { noPlace } from './no-place.ts';
import { wasNotSent, type RemotePlaces } from './remote.ts';
import { unknownTool } from './unknown-tool.ts';
import { checkArgumentsSize } from './validate.ts';

/** Failures of a place, not of the call: another place may do better, if the tool bears to be begun twice. */
const PLACE_FAULTS: ReadonlySet<ErrorCode> = new Set(['peer_unreachable', 'rate_limited']);

/** Names of tools that left the room, kept so that "nobody offers it now" can be told from "no such tool". */
const MAX_REMEMBERED_NAMES = 1000;

export interface RoomToolsOptions {
  readonly self: Ports['self'];
  readonly local: LocalTools;
  readonly remotes: RemotePlaces;
  readonly clock: Clock;
}

/** Makes the router of a peer: every tool of the room, each call at the best place, the choice explained. */
export function createRoomTools({ self, local, remotes, clock }: RoomToolsOptions): RoomTools {
  const here: Place = { kind: 'self', peer: self.peer, device: self.device, name: self.name };
  const inFlight = new Map<PeerId, number>();
  const remembered = new Set<string>();

  let known: readonly KnownPlace[] | null = null;
  const forget = () => {
    known = null;
  };
  local.subscribe(forget);
  remotes.subscribe(forget);

  /** kept between changes: a call must not cost more the more peers are here */
  const knownPlaces = (): readonly KnownPlace[] => (known ??= lookAround());

  const lookAround = (): KnownPlace[] => {
    const own = { place: here, tools: local.list(), direct: true, latencyMs: 0, visible: true };
    const others = remotes.list().map((remote) => ({ ...remote, relay: remote.place.kind === 'relay' }));
    for (const { tools } of others) {
      for (const { name } of tools) if (remembered.size < MAX_REMEMBERED_NAMES) remembered.add(name);
    }
    return [{ ...own, relay: self.kind === 'relay' }, ...others];
  };

  const select = ({ tool, place: pin }: CallRequest): Selection => {
    const places = knownPlaces();
    const selection = selectCandidates(tool, places, { pin, inFlight: (peer) => inFlight.get(peer) ?? 0 });
    if (selection !== undefined && selection.candidates.length > 0) return selection;
    if (selection === undefined && !remembered.has(tool)) {
      const offered = places.flatMap(({ tools }) => tools.map(({ name }) => name));
      throw unknownTool(tool, [...new Set([...remembered, ...offered])]);
    }
    throw noPlace(tool, selection, pin, places);
  };

  const runAt = async (candidate: Candidate, request: CallRequest, options: CallOptions, deadline: Deadline) => {
    const { place, metadata } = candidate;
    const { tool, args, principal } = request;
    const hop = {
      signal: deadline.signal,
      timeoutMs: deadline.remaining(),
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    };
    inFlight.set(place.peer, (inFlight.get(place.peer) ?? 0) + 1);
    try {
      if (place.kind === 'self') return await deadline.race(local.call({ tool, args, principal }, hop));
      const answer = await deadline.race(remotes.call(place.peer, tool, args, principal, hop));
      return local.checkAnswer(metadata, answer);
    } finally {
      const left = (inFlight.get(place.peer) ?? 1) - 1;
      if (left === 0) inFlight.delete(place.peer);
      else inFlight.set(place.peer, left);
    }
  };

  return {
    list: () => listTools(knownPlaces()),
    subscribe(listener) {
      const off = [local.subscribe(listener), remotes.subscribe(listener)];
      return () => {
        for (const unsubscribe of off) unsubscribe();
      };
    },
    async call(request, options = {}) {
      const startedAt = clock.now();
      let route: RouteExplanation | null = null;
      let deadline: Deadline | undefined;
      try {
        // refused here, since it might not even fit into a frame to the place that would refuse it
        checkArgumentsSize(request.tool, request.args);
        const selection = select(request);
        const ms = callLimit(options.timeoutMs, selection.metadata.timeoutMs);
        deadline = startDeadline({ clock, ms, what: request.tool, signal: options.signal });
        const failed = new Map<Candidate, TabmeshError>();
        for (const candidate of selection.candidates) {
          route = explain(selection, candidate, failed);
          const over = deadline.reason();
          if (over !== undefined) throw over;
          try {
            const value = await runAt(candidate, request, options, deadline);
            return { ok: true, value, route, tookMs: clock.now() - startedAt };
          } catch (thrown) {
            const error = toTabmeshError(thrown, 'tool_failed');
            if (deadline.reason() !== undefined || !mayBeginElsewhere(error, candidate)) throw error;
            failed.set(candidate, error);
          }
        }
        throw [...failed.values()].at(-1) ?? noPlace(request.tool, selection, request.place, []);
      } catch (thrown) {
        const error = deadline?.reason() ?? toTabmeshError(thrown);
        return { ok: false, error: error.toWire(), route, tookMs: clock.now() - startedAt };
      } finally {
        deadline?.dispose();
      }
    },
  };
}

/** A call that has begun is never begun again, unless the tool says that doing so is harmless. */
function mayBeginElsewhere(error: TabmeshError, { metadata }: Candidate): boolean {
  return wasNotSent(error) || (metadata.annotations.idempotentHint && PLACE_FAULTS.has(error.code));
}

function explain(
  { metadata, candidates, excluded }: Selection,
  chosen: Candidate,
  failed: ReadonlyMap<Candidate, TabmeshError>,
): RouteExplanation {
  const ranked = candidates.map((candidate) => ({
    place: candidate.place,
    score: candidate.score,
    reasons: candidate.reasons,
    excluded: failed.get(candidate)?.message ?? null,
  }));
  const others = excluded.map(({ place, reason }) => ({ place, score: 0, reasons: [], excluded: reason }));
  return { tool: metadata.name, runtime: metadata.runtime, chosen: chosen.place, candidates: [...ranked, ...others] };
}

function listTools(places: readonly KnownPlace[]): RoomTool[] {
  const offers = new Map<string, { metadata: ToolMetadata; place: KnownPlace }[]>();
  for (const place of places) {
    for (const metadata of place.tools) {
      if (!canRun(metadata, place)) continue;
      const same = offers.get(metadata.name);
      if (same === undefined) offers.set(metadata.name, [{ metadata, place }]);
      else same.push({ metadata, place });
    }
  }
  const tools: RoomTool[] = [];
  for (const [, offer] of [...offers].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const metadata = newest(offer.map((each) => each.metadata));
    if (metadata === undefined) continue;
    const current = offer.filter((each) => each.metadata.schemaVersion === metadata.schemaVersion);
    tools.push({ metadata, places: current.map(({ place }) => place.place).sort(selfFirst) });
  }
  return tools;
}

function selfFirst(a: Place, b: Place): number {
  if (a.kind === 'self') return -1;
  if (b.kind === 'self') return 1;
  return byPeer({ place: a }, { place: b });
}
