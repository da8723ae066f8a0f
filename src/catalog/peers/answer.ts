import { toTabmeshError } from '../../lib/errors.ts';
import * as z from '../../tools/zod.ts';

/*
 * The peer tools answer `success: false` with an `error` where other tools fail: their contract is older than this catalogue,
 * and clients of it look there.
 */

/** Fields of every answer of a peer tool. */
export const outcomeFields = {
  success: z.boolean(),
  error: z.optional(z.string().check(z.describe('why not, when success is false'))),
  degraded_mode: z.optional(z.boolean().check(z.describe('true: there is no mesh here to ask'))),
};

/** What is answered where the mesh does not run; what else belongs to it is the tool's. */
export const DEGRADED = {
  success: false,
  error: 'the mesh of this peer is not running: open a room, or start the relay with one',
  degraded_mode: true,
} as const;

/**
 * What is answered when the mesh could not.
 * @throws the reason when the call itself is over
 */
export function failed(thrown: unknown, signal: AbortSignal): { readonly success: false; readonly error: string } {
  signal.throwIfAborted();
  const { message, hint } = toTabmeshError(thrown);
  return { success: false, error: hint === null ? message : `${message}. ${hint}` };
}

/** Seconds since the epoch, as these tools tell times; null stays null. */
export const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);

export const numberOrNull = z.nullable(z.number());
export const moment = z.nullable(z.number().check(z.describe('seconds since the epoch')));
