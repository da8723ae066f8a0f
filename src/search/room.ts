import type { DeviceAnswer, RoomSearchResult, SearchRequest, ShardAnswer } from '../contracts/search.ts';
import type { Clock } from '../lib/clock.ts';
import { startDeadline } from '../lib/deadline.ts';
import { TabmeshError, toTabmeshError } from '../lib/errors.ts';
import type { CidString, DeviceId, PeerId } from '../lib/ids.ts';
import { mapBounded } from '../lib/semaphore.ts';
import { checkTopK } from './input.ts';
import { mergeShards, type DeviceShardAnswer } from './merge.ts';
import { queryTerms } from './text/query.ts';

/** A device that is here and can be asked, through one of its peers. */
export interface RoomShard {
  readonly device: DeviceId;
  readonly name: string;
  readonly peer: PeerId;
  /** the link to it does not go through a relay */
  readonly direct: boolean;
  ask(request: SearchRequest, signal: AbortSignal): Promise<ShardAnswer>;
}

export interface RoomSearchContext {
  readonly shards: readonly RoomShard[];
  /** devices of the room that are not here, with the datasets that their shards cover */
  readonly away: readonly {
    readonly device: DeviceId;
    readonly name: string;
    readonly datasets: readonly CidString[];
  }[];
  /** all datasets of the room; `heldBy` are the names of the devices that hold them */
  readonly datasets: readonly {
    readonly dataset: CidString;
    readonly name: string;
    readonly heldBy: readonly string[];
  }[];
  readonly clock: Clock;
  /** how long each shard may take, milliseconds from when it is asked */
  readonly timeoutMs: number;
}

/** Questions in flight: a browser opens streams to this many peers at once without any of them waiting long. */
const MAX_PARALLEL_SHARDS = 16;

interface Asked {
  readonly device: DeviceAnswer;
  readonly answer: ShardAnswer | null;
}

/**
 * Asks every device that is here and merges the answers. A device that fails or takes too long is reported as such and
 * never fails the rest; datasets that nobody who answered covers are named.
 * @returns `total` counts a record once however many devices hold it, as long as one of two devices holds all that the other
 *   does; of datasets that overlap otherwise, those found beyond `topK` may count twice
 * @throws `invalid_input` for a query without words or a bad `topK`, before anybody is asked; `cancelled`
 */
export async function searchRoom(
  request: SearchRequest,
  context: RoomSearchContext,
  signal: AbortSignal,
): Promise<RoomSearchResult> {
  checkTopK(request.topK);
  queryTerms(request.query);
  const startedAt = context.clock.now();
  const asked = await askAll(request, context, signal);
  const answers = asked.flatMap(({ device, answer }) => (answer === null ? [] : [{ ...device, answer }]));
  const distinct = mergeShards(answers, Number.MAX_SAFE_INTEGER);
  const covered = new Set(answers.flatMap(({ answer }) => answer.datasets));
  return {
    query: request.query,
    hits: distinct.slice(0, request.topK),
    total: Math.max(distinct.length, countMatches(answers)),
    devices: [
      ...asked.map(({ device }) => device),
      ...context.away.map(({ device, name, datasets }) => ({ status: 'away' as const, device, name, datasets })),
    ],
    missing: context.datasets
      .filter(({ dataset }) => !covered.has(dataset))
      .map(({ dataset, name, heldBy }) => ({ dataset, name, heldBy })),
    tookMs: context.clock.now() - startedAt,
  };
}

async function askAll(request: SearchRequest, context: RoomSearchContext, signal: AbortSignal): Promise<Asked[]> {
  try {
    return await mapBounded(
      context.shards,
      MAX_PARALLEL_SHARDS,
      (shard, _index, stop) => ask(shard, request, context, stop),
      signal,
    );
  } catch (thrown) {
    throw toTabmeshError(thrown);
  }
}

/** Never rejects for what the shard does, only when `signal` fires. */
async function ask(
  shard: RoomShard,
  request: SearchRequest,
  { clock, timeoutMs }: RoomSearchContext,
  signal: AbortSignal,
): Promise<Asked> {
  const { device, name, peer, direct } = shard;
  const startedAt = clock.now();
  const deadline = startDeadline({ clock, ms: timeoutMs, what: `the search on ${name}`, signal });
  try {
    const answer = checked(await deadline.race(shard.ask(request, deadline.signal)), request.topK, name);
    const tookMs = clock.now() - startedAt;
    const { hits, searched } = answer;
    return { answer, device: { status: 'answered', device, peer, name, hits: hits.length, searched, tookMs, direct } };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toTabmeshError(thrown, 'tool_failed').toWire();
    return { answer: null, device: { status: 'failed', device, peer, name, error } };
  } finally {
    deadline.dispose();
  }
}

/** One member's answer must not be able to spoil the order of the others' hits, nor to crowd them out. */
function checked(answer: ShardAnswer, topK: number, name: string): ShardAnswer {
  if (answer.hits.length <= topK && answer.hits.every(({ score }) => Number.isFinite(score))) return answer;
  throw new TabmeshError('invalid_output', `${name} answered the search with hits that were not asked for`, {
    hint: 'Update the app on that device.',
  });
}

/**
 * Matches over shards. A shard whose datasets another one has too is a copy and adds nothing; what the others returned twice
 * is taken off.
 */
function countMatches(answers: readonly DeviceShardAnswer[]): number {
  const counted: DeviceShardAnswer[] = [];
  for (const next of answers.toSorted((a, b) => b.answer.datasets.length - a.answer.datasets.length)) {
    const isCopy = counted.some(({ answer }) =>
      next.answer.datasets.every((dataset) => answer.datasets.includes(dataset)),
    );
    if (!isCopy) counted.push(next);
  }
  const returned = sum(counted.map(({ answer }) => answer.hits.length));
  const distinct = mergeShards(counted, Number.MAX_SAFE_INTEGER).length;
  return sum(counted.map(({ answer }) => answer.total)) - (returned - distinct);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
