import type { DoctorProbes, NotApplicable, RelayHealth, RelayUnderTest } from '../../contracts/doctor.ts';
import type { Clock } from '../../lib/clock.ts';
import { startDeadline } from '../../lib/deadline.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import { mapBounded } from '../../lib/semaphore.ts';

/** As many relays as a browser has connections to spare for; an invite names eight at most. */
const PARALLEL_RELAYS = 4;

/** What came of asking a relay: an answer, or why there is none. */
export type Asked<T> =
  | { readonly relay: RelayUnderTest; readonly answer: T | NotApplicable }
  | { readonly relay: RelayUnderTest; readonly error: string };

/** `GET /health` of every relay. */
export type RelayAnswers = () => Promise<readonly Asked<RelayHealth>[]>;

/**
 * Asks all relays the same, a few at once, each within its time. One that fails is an answer too.
 * @param ms for each
 * @throws only when `signal` fires
 */
export function askRelays<T>(
  relays: readonly RelayUnderTest[],
  ask: (relay: RelayUnderTest, signal: AbortSignal) => Promise<T | NotApplicable>,
  { clock, ms, signal }: { readonly clock: Clock; readonly ms: number; readonly signal: AbortSignal },
): Promise<readonly Asked<T>[]> {
  return mapBounded(
    relays,
    PARALLEL_RELAYS,
    async (relay, _index, inner): Promise<Asked<T>> => {
      const deadline = startDeadline({ clock, ms, what: 'an answer', signal: inner });
      try {
        return { relay, answer: await deadline.race(ask(relay, deadline.signal)) };
      } catch (thrown) {
        return { relay, error: toTabmeshError(deadline.reason() ?? thrown).message };
      } finally {
        deadline.dispose();
      }
    },
    signal,
  );
}

/** A relay answers its smallest page at once, or something is in the way. */
const HEALTH_TIMEOUT_MS = 5_000;

/** {@link RelayAnswers} that asks at its first call. */
export function relayAnswers(probes: DoctorProbes, clock: Clock, signal: AbortSignal): RelayAnswers {
  let asked: ReturnType<RelayAnswers> | undefined;
  return () =>
    (asked ??= askRelays(probes.relays(), (relay, inner) => probes.relayHealth(relay, inner), {
      clock,
      ms: HEALTH_TIMEOUT_MS,
      signal,
    }));
}

/** The host under which a relay is known. */
export const hostOf = (relay: RelayUnderTest): string => relay.ways[0]?.host ?? relay.peer;
