import type { RoomClient } from '../../../contracts/app.ts';
import type { DoctorCheck, DoctorReport } from '../../../contracts/doctor.ts';
import { toTabmeshError, type WireError } from '../../../lib/errors.ts';

export type ExaminationState =
  | { readonly status: 'idle' }
  /** checks that have ended */
  | { readonly status: 'running'; readonly checks: readonly DoctorCheck[] }
  | { readonly status: 'done'; readonly report: DoctorReport }
  | { readonly status: 'failed'; readonly error: WireError };

/** One examination of the connection at a time, as the card shows it. */
export class ConnectionExamination {
  state = $state.raw<ExaminationState>({ status: 'idle' });
  readonly #client: Pick<RoomClient, 'examine'>;
  #running: AbortController | null = null;

  constructor(client: Pick<RoomClient, 'examine'>) {
    this.#client = client;
  }

  /** Never rejects: a failure is in `state`. Does nothing while one runs. */
  async run(): Promise<void> {
    if (this.#running !== null) return;
    const running = new AbortController();
    this.#running = running;
    this.state = { status: 'running', checks: [] };
    const onCheck = (check: DoctorCheck) => {
      if (this.state.status !== 'running') return;
      this.state = { status: 'running', checks: [...this.state.checks, check] };
    };
    try {
      this.state = { status: 'done', report: await this.#client.examine({ signal: running.signal, onCheck }) };
    } catch (thrown) {
      this.state = running.signal.aborted
        ? { status: 'idle' }
        : { status: 'failed', error: toTabmeshError(thrown).toWire() };
    } finally {
      this.#running = null;
    }
  }

  cancel(): void {
    this.#running?.abort();
  }
}

/** By room; outlives the view, so that the report is still there when one comes back to it. */
const examinations = new WeakMap<RoomClient, ConnectionExamination>();

/** The examination of a room's connection. */
export function examinationOf(client: RoomClient): ConnectionExamination {
  const known = examinations.get(client) ?? new ConnectionExamination(client);
  examinations.set(client, known);
  return known;
}
