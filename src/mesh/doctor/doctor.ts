import type { DoctorPort, DoctorProbes, DoctorReport } from '../../contracts/doctor.ts';
import type { Clock } from '../../lib/clock.ts';
import { Slots } from '../../lib/slots.ts';

/** The person at this device, and one caller elsewhere: more examinations at once would only disturb each other. */
const PARALLEL_EXAMINATIONS = 2;

/** The doctor of a peer. @param secrets of the room, as of now; those of the platform are its probes' */
export function createDoctor(options: {
  readonly kind: DoctorReport['kind'];
  readonly probes: DoctorProbes;
  readonly secrets: () => readonly string[];
  readonly clock: Clock;
}): DoctorPort {
  const { kind, probes, secrets, clock } = options;
  const slots = new Slots(PARALLEL_EXAMINATIONS);
  return {
    examine: ({ signal, onCheck }) =>
      slots.run(
        async () =>
          // needed when somebody asks, and then of no use from a relay that is away: see `loadLater` in src/peer/tab
          (await import('./run-doctor.ts')).runDoctor(probes, {
            kind,
            clock,
            signal,
            secrets: [...secrets(), ...probes.secrets()],
            ...(onCheck === undefined ? {} : { onCheck }),
          }),
        signal,
      ),
  };
}
