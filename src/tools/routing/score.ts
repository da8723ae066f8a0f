import type { Battery } from '../../contracts/mesh.ts';
import type { Runtime } from '../../contracts/tools.ts';

/** What the score of a place is made of. */
export interface ScoreInput {
  /** where the tool belongs */
  readonly runtime: Runtime;
  readonly cpuIntensive: boolean;
  readonly memoryIntensive: boolean;
  readonly ioIntensive: boolean;
  /** this peer itself */
  readonly self: boolean;
  /** a relay's peer */
  readonly relay: boolean;
  readonly direct: boolean;
  /** ms; null until measured */
  readonly latencyMs: number | null;
  readonly visible: boolean;
  /** 0 to 1; null when it does not tell */
  readonly load: number | null;
  readonly battery: Battery | null;
  /** its device holds the data that the arguments name */
  readonly holdsData: boolean;
  /** how many times as long as at the fastest place this tool has taken there lately; 1 until measured */
  readonly slowdown: number;
  /** it refused a call of ours a moment ago, since it was full */
  readonly full: boolean;
  /** calls of ours that run there now */
  readonly inFlight: number;
}

/*
 * The weights are chosen so that, in this order: a tab does its own work (HERE, less the largest load, is above the best
 * other peer: 75), unless another holds the data; mesh work goes to a relay only when no tab is there; and for `auto` work a
 * relay's own peer (52) comes after a tab that is visible and direct (55 and more) and before one that is not (50 at most).
 */
const HERE = 120;
const DIRECT = 30;
const VISIBLE = 25;
const FASTEST = 20;
/** Round trip from which nearness earns nothing, ms: a person notices it. */
const SLOW_MS = 500;
const EACH_CALL = 8;
/** Calls in flight beyond these weigh no more, so that load never outweighs where the work belongs. */
const MOST_CALLS = 5;
const RELAY_FOR_MESH = 500;
const RELAY_FOR_AUTO = 68;
/** Above what a good link is worth less what running here is: fetching the data costs more than sending the call. */
const DATA = 50;
/** A place that is busy all the time. */
const LOAD = 20;
/** A device that would rather sleep. */
const LOW_BATTERY = 15;
/** What browsers and systems begin to warn at. */
const LOW_LEVEL = 0.2;
const SLOW_WORK = 20;
const FULL = 60;
/** Work of that kind feels it twice. */
const INTENSIVE = 2;
const MEMORY_HIDDEN = 25;
const IO_RELAYED = 30;

interface Rule {
  points(input: ScoreInput): number;
  /** a readable reason; null when the rule has nothing to say of the place */
  say(input: ScoreInput): string | null;
}

const weight = (input: ScoreInput): number => (input.cpuIntensive ? INTENSIVE : 1);
/** Only heavy work is worth sending away for how this device is doing. */
const countsCondition = (input: ScoreInput): boolean => !input.self || input.cpuIntensive;

const RULES: readonly Rule[] = [
  {
    points: ({ self, direct }) => (self ? HERE : direct ? DIRECT : 0),
    say: ({ self, direct }) =>
      self ? 'runs here: nothing crosses the network' : direct ? 'direct link' : 'reached through a relay',
  },
  {
    points: ({ self, latencyMs }) =>
      self ? 0 : latencyMs === null ? FASTEST / 2 : FASTEST * (1 - Math.min(Math.max(0, latencyMs), SLOW_MS) / SLOW_MS),
    say: ({ self, latencyMs }) =>
      self ? null : latencyMs === null ? 'latency not measured yet' : milliseconds(latencyMs),
  },
  {
    points: ({ self, relay, visible }) => (!self && !relay && visible ? VISIBLE : 0),
    say: ({ self, relay, visible }) => (self || relay ? null : visible ? 'tab is in view' : 'tab is hidden'),
  },
  {
    points: ({ holdsData }) => (holdsData ? DATA : 0),
    say: ({ holdsData }) => (holdsData ? 'holds the data' : null),
  },
  {
    points: (input) => (countsCondition(input) && input.load !== null ? -LOAD * weight(input) * input.load : 0),
    say: (input) =>
      countsCondition(input) && input.load !== null && input.load > 0
        ? `busy ${String(Math.round(100 * input.load))} % of the time`
        : null,
  },
  {
    points: (input) => (countsCondition(input) && isLow(input.battery) ? -LOW_BATTERY * weight(input) : 0),
    say: (input) => (countsCondition(input) && isLow(input.battery) ? 'its battery is low' : null),
  },
  {
    points: (input) => (isSlow(input) ? -SLOW_WORK * (1 - 1 / input.slowdown) : 0),
    say: (input) => (isSlow(input) ? `takes ${input.slowdown.toFixed(1)} times as long as the fastest` : null),
  },
  {
    points: ({ memoryIntensive, self, relay, visible }) =>
      memoryIntensive && !self && !relay && !visible ? -MEMORY_HIDDEN : 0,
    say: ({ memoryIntensive, self, relay, visible }) =>
      memoryIntensive && !self && !relay && !visible ? 'a browser may discard it for the memory it needs' : null,
  },
  {
    points: ({ ioIntensive, self, direct }) => (ioIntensive && !self && !direct ? -IO_RELAYED : 0),
    say: ({ ioIntensive, self, direct }) =>
      ioIntensive && !self && !direct ? 'much data would go through a relay' : null,
  },
  {
    points: ({ full }) => (full ? -FULL : 0),
    say: ({ full }) => (full ? 'was full a moment ago' : null),
  },
  {
    points: ({ inFlight }) => -EACH_CALL * Math.min(inFlight, MOST_CALLS),
    say: ({ inFlight }) =>
      inFlight === 0 ? null : `${inFlight === 1 ? '1 call' : `${String(inFlight)} calls`} in flight there`,
  },
  {
    points: ({ relay, runtime }) =>
      !relay || runtime === 'relay' ? 0 : runtime === 'mesh' ? -RELAY_FOR_MESH : -RELAY_FOR_AUTO,
    say: ({ relay, runtime }) =>
      !relay || runtime === 'relay'
        ? null
        : runtime === 'mesh'
          ? 'a relay takes mesh work only when no other peer can'
          : 'a relay is kept free for what only it can do',
  },
];

/** Scores a place; higher is better. Pure. */
export function scorePlace(input: ScoreInput): number {
  let score = 0;
  for (const rule of RULES) score += rule.points(input);
  return Math.round(score * 10) / 10;
}

/** Why a place has its score, in words: for who asks, not for every call. */
export function scoreReasons(input: ScoreInput): string[] {
  return RULES.map((rule) => rule.say(input)).filter((reason) => reason !== null);
}

const isSlow = (input: ScoreInput): boolean => input.slowdown > 1 && countsCondition(input);

const isLow = (battery: Battery | null): boolean => battery !== null && !battery.charging && battery.level < LOW_LEVEL;

function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : String(Math.round(ms))} ms`;
}
