import type { DeviceAnswer, RoomHit, RoomSearchResult, SearchHit, ShardAnswer } from '../contracts/search.ts';
import type { WireError } from '../lib/errors.ts';
import type { CidString } from '../lib/ids.ts';
import type * as z from '../tools/zod.ts';
import type { hit, roomSearchResult, shardAnswer } from './schemas.ts';

type WireHit = z.output<typeof hit>;
type WireShardAnswer = z.output<typeof shardAnswer>;
type WireRoomResult = z.output<typeof roomSearchResult>;
type WireDeviceAnswer = WireRoomResult['devices'][number];
type Marks = readonly (readonly [number, number])[];

/** The wire form of what one shard answers. */
export function shardAnswerToWire({ hits, total, searched, datasets, tookMs }: ShardAnswer): WireShardAnswer {
  return { hits: hits.map(hitToWire), total, searched, datasets: [...datasets], took_ms: tookMs };
}

/**
 * Reads what another device's `search_shard` answered.
 * @param wire an answer that has passed the tool's output schema
 */
export function shardAnswerFromWire({ hits, total, searched, datasets, took_ms }: WireShardAnswer): ShardAnswer {
  return { hits: hits.map(hitFromWire), total, searched, datasets: datasets as CidString[], tookMs: took_ms };
}

/** The wire form of a search over the room. */
export function roomResultToWire({ query, hits, total, devices, missing, tookMs }: RoomSearchResult): WireRoomResult {
  return {
    query,
    hits: hits.map(roomHitToWire),
    total,
    devices: devices.map(deviceAnswerToWire),
    missing: missing.map(({ dataset, name, heldBy }) => ({ dataset, name, held_by: [...heldBy] })),
    took_ms: tookMs,
  };
}

function roomHitToWire(hit: RoomHit): WireRoomResult['hits'][number] {
  return { ...hitToWire(hit), device: hit.device, device_name: hit.deviceName, also_on: [...hit.alsoOn] };
}

function hitToWire(hit: SearchHit): WireHit {
  return {
    record_id: hit.recordId,
    record_cid: hit.recordCid,
    dataset: hit.dataset,
    title: hit.title,
    title_marks: marksToWire(hit.titleMarks),
    snippet: hit.snippet,
    snippet_marks: marksToWire(hit.snippetMarks),
    authors: [...hit.authors],
    author_count: hit.authorCount,
    venue: hit.venue,
    year: hit.year,
    url: hit.url,
    retracted: hit.retracted,
    score: hit.score,
  };
}

function hitFromWire(hit: WireHit): SearchHit {
  return {
    recordCid: hit.record_cid as CidString,
    recordId: hit.record_id,
    dataset: hit.dataset as CidString,
    title: hit.title,
    snippet: hit.snippet,
    snippetMarks: marksFromWire(hit.snippet_marks),
    titleMarks: marksFromWire(hit.title_marks),
    authors: hit.authors,
    authorCount: hit.author_count,
    venue: hit.venue,
    year: hit.year,
    url: hit.url,
    retracted: hit.retracted,
    score: hit.score,
  };
}

function deviceAnswerToWire(answer: DeviceAnswer): WireDeviceAnswer {
  switch (answer.status) {
    case 'answered': {
      const { tookMs, ...rest } = answer;
      return { ...rest, took_ms: tookMs };
    }
    case 'failed':
      return { ...answer, error: errorToWire(answer.error) };
    case 'away':
      return { ...answer, datasets: [...answer.datasets] };
  }
}

function errorToWire({ code, message, hint, retryable, details }: WireError) {
  return { code, message, hint, retryable, details: { ...details } };
}

function marksToWire(marks: Marks): { start: number; end: number }[] {
  return marks.map(([start, end]) => ({ start, end }));
}

function marksFromWire(marks: readonly { start: number; end: number }[]): Marks {
  return marks.map(({ start, end }) => [start, end]);
}
