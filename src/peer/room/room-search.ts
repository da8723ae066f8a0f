import type { AskedFor, SearchPort } from '../../contracts/ports.ts';
import type { Replica } from '../../contracts/replica.ts';
import type { RoomSearchResult, SearchRequest, ShardAnswer } from '../../contracts/search.ts';
import type { Place } from '../../contracts/tools.ts';
import { shardAnswerFromWire } from '../../catalog/hits.ts';
import { relatedRecords } from '../../catalog/search/related-records.ts';
import { searchShard } from '../../catalog/search/search-shard.ts';
import { SHARD_TIMEOUT_MS } from '../../catalog/search/top-k.ts';
import type { Clock } from '../../lib/clock.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import type { DeviceId, PeerId } from '../../lib/ids.ts';
import { formatTraceparent, nextHop, parseTraceparent } from '../../lib/traceparent.ts';
import type { RoomMesh } from '../../mesh/room/room-mesh.ts';
import { searchRoom } from '../../search/room.ts';
import type { CallFeed } from '../../tools/watching/feed.ts';
import type { RoomDatasets } from './datasets.ts';
import type { DeviceSearch } from './device-search.ts';

export interface RoomSearchOptions {
  readonly replica: Replica;
  readonly datasets: RoomDatasets;
  readonly search: DeviceSearch;
  readonly mesh: () => RoomMesh;
  readonly self: { readonly peer: PeerId; readonly device: DeviceId };
  /** shows a call to who watches the calls of this peer */
  readonly watched: CallFeed['sent'];
  readonly clock: Clock;
}

/** Search over the room: asks one peer of every device that holds a shard, and this device itself. */
export class RoomSearch implements SearchPort {
  readonly #options: RoomSearchOptions;

  constructor(options: RoomSearchOptions) {
    this.#options = options;
  }

  searchRoom(request: SearchRequest, signal: AbortSignal, caller?: AskedFor): Promise<RoomSearchResult> {
    const { replica, datasets, mesh, self, clock } = this.#options;
    const linked = mesh().list();
    const shards = [];
    const away = [];
    for (const view of Object.values(replica.state().devices)) {
      const covers = Object.values(view.segments).map((segment) => segment.dataset);
      if (covers.length === 0) continue;
      const { device, name } = view;
      if (device === self.device) {
        const ask = (wanted: SearchRequest, s: AbortSignal) => this.searchShard(wanted, s);
        shards.push({ device, name, peer: self.peer, direct: true, ask });
        continue;
      }
      const nearest = nearestOf(device, linked);
      if (nearest === undefined) away.push({ device, name, datasets: covers });
      else {
        const { place } = nearest;
        const ask = (wanted: SearchRequest, s: AbortSignal) => this.#askPeer(place, wanted, s, caller);
        shards.push({ device, name, peer: place.peer, direct: nearest.direct, ask });
      }
    }
    const listed = datasets.list().map(({ data, name, holders }) => ({
      dataset: data,
      name,
      heldBy: holders.map((holder) => holder.name),
    }));
    return searchRoom(request, { shards, away, datasets: listed, clock, timeoutMs: SHARD_TIMEOUT_MS }, signal);
  }

  searchShard(request: SearchRequest, signal: AbortSignal): Promise<ShardAnswer> {
    return this.#options.search.search(request, signal);
  }

  related(recordId: string, topK: number, signal: AbortSignal): Promise<ShardAnswer> {
    return this.#options.search.related(recordId, topK, signal);
  }

  /**
   * Records near one that some device of the room has indexed: this device when it has, else the others in turn.
   * @throws `not_found` when none that is here has; else the failure of the last one that was asked
   */
  async relatedInRoom(recordId: string, topK: number, signal: AbortSignal): Promise<ShardAnswer> {
    const { replica, mesh, self } = this.#options;
    let failure: unknown;
    try {
      return await this.related(recordId, topK, signal);
    } catch (error) {
      if (toTabmeshError(error).code !== 'not_found') throw error;
      failure = error;
    }
    for (const { device, segments } of Object.values(replica.state().devices)) {
      const nearest = device === self.device ? undefined : nearestOf(device, mesh().list());
      if (nearest === undefined || Object.keys(segments).length === 0) continue;
      signal.throwIfAborted();
      try {
        return await this.#call(nearest.place, relatedRecords, { record_id: recordId, top_k: topK }, signal);
      } catch (error) {
        if (toTabmeshError(error).code !== 'not_found') failure = error;
      }
    }
    throw failure;
  }

  #askPeer(place: Place, { query, topK }: SearchRequest, signal: AbortSignal, caller?: AskedFor): Promise<ShardAnswer> {
    return this.#call(place, searchShard, { query, top_k: topK }, signal, caller);
  }

  async #call(
    place: Place,
    tool: Pick<typeof searchShard, 'metadata' | 'checkAnswer'>,
    args: Record<string, unknown>,
    signal: AbortSignal,
    { principal, traceparent }: AskedFor = { principal: { kind: 'device', ...this.#options.self } },
  ): Promise<ShardAnswer> {
    const { mesh, watched } = this.#options;
    const { name } = tool.metadata;
    const trace = parseTraceparent(traceparent);
    const options = {
      signal,
      timeoutMs: SHARD_TIMEOUT_MS,
      ...(trace === undefined ? {} : { traceparent: formatTraceparent(nextHop(trace)) }),
    };
    const request = { tool: name, args, principal, place: place.peer };
    const answer = await watched(request, options.traceparent, place, () =>
      mesh().call(place.peer, name, args, principal, options),
    );
    return shardAnswerFromWire(tool.checkAnswer(answer) as Parameters<typeof shardAnswerFromWire>[0]);
  }
}

type Linked = ReturnType<RoomMesh['list']>;

/** Any tab of a device serves its shard: the one that answers soonest. */
function nearestOf(device: DeviceId, linked: Linked): Linked[number] | undefined {
  const [nearest] = linked
    .filter((peer) => peer.place.device === device)
    .sort((a, b) => Number(b.direct) - Number(a.direct) || Number(b.visible) - Number(a.visible));
  return nearest;
}
