import type { Ports } from '../../src/contracts/ports.ts';
import type { CallSample } from '../../src/contracts/tool-metrics.ts';
import type { RoomTools } from '../../src/contracts/tools.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { RoomId } from '../../src/lib/ids.ts';
import type { Log } from '../../src/lib/log.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { Tool } from '../../src/tools/define-tool.ts';
import { createRoomPlaces } from '../../src/tools/places.ts';
import type { Router, RouterOptions } from '../../src/tools/routing/router.ts';
import { createRouter } from '../../src/tools/routing/router.ts';
import { memoryPorts } from './ports.ts';
import type { TestRemotes } from './room.ts';
import { localTools } from './tools.ts';

export interface TestRouterOptions extends Partial<Pick<RouterOptions, 'holders' | 'random' | 'breakerMs'>> {
  readonly own?: readonly Tool[];
  readonly kind?: 'tab' | 'relay';
  readonly clock?: Clock;
  readonly log?: Log;
  readonly condition?: Parameters<typeof createRoomPlaces>[0]['condition'];
}

/** A router over test places; `samples` is what it has booked. */
export interface TestRouter extends Router, RoomTools {
  readonly samples: CallSample[];
}

/** Makes one; among equals it takes the first, unless `random` says otherwise. */
export function testRouter(remotes: TestRemotes, options: TestRouterOptions = {}): TestRouter {
  const { own = [], kind = 'tab', clock = systemClock, log = silentLog, condition } = options;
  const self = (): Ports['self'] => ({ ...memoryPorts().self, kind });
  const local = localTools(own, clock);
  const places = createRoomPlaces({ self, local, remotes, ...(condition === undefined ? {} : { condition }) });
  const samples: CallSample[] = [];
  const router = createRouter({
    room: 'room' as RoomId,
    places,
    local,
    remotes,
    clock,
    log,
    book: { book: (sample) => samples.push(sample) },
    holders: options.holders ?? (() => undefined),
    random: options.random ?? (() => 0),
    ...(options.breakerMs === undefined ? {} : { breakerMs: options.breakerMs }),
  });
  return {
    ...router,
    samples,
    list: () => places.list(),
    subscribe: (listener) => places.subscribe(listener),
  };
}
