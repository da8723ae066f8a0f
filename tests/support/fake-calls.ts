import type { CallTry, WatchedCall } from '../../src/contracts/calls.ts';
import type { Place } from '../../src/contracts/tools.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import type { PeerId } from '../../src/lib/ids.ts';
import type { Scenario } from './scenarios.ts';

/** The first are there at once, the others come one by one. */
const FIRST: Readonly<Partial<Record<Scenario, number>>> = { extreme: 480, typical: 24, pair: 6, failing: 12 };
const EVERY_MS = 1_500;
const TOOLS = ['search_index', 'get_record', 'search_shard', 'delete_dataset', 'collect_literature', 'list_peers'];

/** Calls of a fake room, one after the other while somebody watches. */
export function fakeCalls(
  scenario: Scenario,
  places: readonly Place[],
): (listener: (call: WatchedCall) => void) => () => void {
  let last = 0;
  const make = (at: number): WatchedCall => {
    const n = (last += 1);
    const place = places[n % places.length];
    const self = places[0];
    if (place === undefined || self === undefined) throw new Error('no places');
    const served = n % 3 === 0;
    const fails = scenario === 'failing' ? n % 2 === 0 : n % 7 === 3;
    const error = fails
      ? new TabmeshError(n % 2 === 0 ? 'timeout' : 'approval_pending', `${place.name} did not finish within 30 s`, {
          hint: 'Try again later.',
        }).toWire()
      : null;
    const tookMs = 3 + ((n * 37) % 400);
    const tries: CallTry[] = [
      { place, why: 'first', startedMs: 0.3, tookMs: tookMs / 2, error },
      ...(n % 5 === 0
        ? [{ place: self, why: 'next' as const, startedMs: tookMs / 2, tookMs: tookMs / 2, error: null }]
        : []),
    ];
    return {
      id: n,
      side: served ? 'served' : 'made',
      tool:
        scenario === 'extreme' && n % 11 === 0 ? `very_long_${'name_'.repeat(14)}` : (TOOLS[n % TOOLS.length] ?? ''),
      principal: served
        ? { kind: 'token', tokenId: 't1', name: 'Claude on the laptop', relay: places[1]?.peer ?? ('' as PeerId) }
        : { kind: 'device', device: self.device, peer: self.peer },
      at,
      traceId: n % 4 === 1 ? null : n.toString(16).padStart(32, 'c0ffee12'),
      asked: n % 6 === 0 ? place.peer : null,
      argsSize: n % 9 === 0 ? null : 40 + n,
      tries: served ? [] : tries,
      end:
        n % 12 === 11
          ? null
          : {
              tookMs,
              answerSize: error === null ? n * 731 : null,
              error,
              route: served
                ? null
                : {
                    tool: 'search_index',
                    runtime: 'auto',
                    chosen: place,
                    why: 'the highest score',
                    ...(n % 8 === 0 ? { answeredFrom: 'cache' as const } : {}),
                    candidates: places.slice(0, 4).map((each, m) => ({
                      place: each,
                      score: 170 - m * 20,
                      reasons: ['direct link', '4 ms'],
                      excluded: null,
                    })),
                  },
            },
    };
  };
  return (listener) => {
    const now = Date.now();
    const first = last === 0 ? (FIRST[scenario] ?? 0) : 0;
    for (let n = first; n > 0; n--) listener(make(now - n * 700));
    const timer = first === 0 ? undefined : setInterval(() => listener(make(Date.now())), EVERY_MS);
    return () => {
      clearInterval(timer);
    };
  };
}
