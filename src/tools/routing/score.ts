import type { Runtime } from '../contracts/tools.ts';

/** What the score of a place is made of. */
export interface ScoreInput {
  readonly runtime: Runtime;
  /** this peer itself */
  readonly self: boolean;
  /** a relay's peer */
  readonly relay: boolean;
  readonly direct: boolean;
  /** ms; null until measured */
  readonly latencyMs: number | null;
  readonly visible: boolean;
  /** calls of ours that run there now */
  readonly inFlight: number;
}

export interface Score {
  readonly score: number;
  readonly reasons: readonly string[];
}

/*
 * The weights are chosen so that, in this order: a tab does its own work (HERE, less the largest load, is above the best
 * other peer: 75); mesh work goes to a relay only when no tab is there; and for `auto` work a relay's own peer (52) comes
 * after a tab that is visible and direct (55 and more) and before one that is not (50 at most).
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

/** Scores a place, one readable reason for each part. Pure; higher is better. */
export function scorePlace(input: ScoreInput): Score {
  const parts = input.self ? [[HERE, 'runs here: nothing crosses the network'] as const] : linkParts(input);
  const all = [...parts, ...loadParts(input), ...relayParts(input)];
  return {
    score: Math.round(all.reduce((sum, [points]) => sum + points, 0) * 10) / 10,
    reasons: all.map(([, reason]) => reason),
  };
}

type Part = readonly [points: number, reason: string];

function linkParts({ direct, latencyMs, visible, relay }: ScoreInput): Part[] {
  const parts: Part[] = [direct ? [DIRECT, 'direct link'] : [0, 'reached through a relay'], latencyPart(latencyMs)];
  if (!relay) parts.push(visible ? [VISIBLE, 'tab is in view'] : [0, 'tab is hidden']);
  return parts;
}

function latencyPart(latencyMs: number | null): Part {
  if (latencyMs === null) return [FASTEST / 2, 'latency not measured yet'];
  const text = `${latencyMs < 10 ? latencyMs.toFixed(1) : String(Math.round(latencyMs))} ms`;
  return [FASTEST * (1 - Math.min(Math.max(0, latencyMs), SLOW_MS) / SLOW_MS), text];
}

function loadParts({ inFlight }: ScoreInput): Part[] {
  if (inFlight === 0) return [];
  const calls = inFlight === 1 ? '1 call' : `${String(inFlight)} calls`;
  return [[-EACH_CALL * Math.min(inFlight, MOST_CALLS), `${calls} in flight there`]];
}

function relayParts({ relay, runtime }: ScoreInput): Part[] {
  if (!relay || runtime === 'relay') return [];
  return runtime === 'mesh'
    ? [[-RELAY_FOR_MESH, 'a relay takes mesh work only when no other peer can']]
    : [[-RELAY_FOR_AUTO, 'a relay is kept free for what only it can do']];
}
