import type { DoctorCheck, DoctorCheckId, DoctorProbes, DoctorReport } from '../../contracts/doctor.ts';
import { DOCTOR_CHECKS } from '../../contracts/doctor.ts';
import type { Clock } from '../../lib/clock.ts';
import { startDeadline } from '../../lib/deadline.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import { checkIceCandidates } from './checks/ice.ts';
import { checkMembers, checkPeerLinks, checkRelayedLimits } from './checks/peers.ts';
import {
  checkLocalNetwork,
  checkNetwork,
  checkPage,
  checkSecureContext,
  checkServiceWorker,
  checkStorage,
} from './checks/platform.ts';
import { checkClock, checkRelayHttp, checkRelayReservation, checkRelaySocket } from './checks/relay.ts';
import type { Check, Examination, Finding } from './finding.ts';
import { failed } from './finding.ts';
import { createRedactor, redactJson } from './redact.ts';
import { relayAnswers } from './relay-answers.ts';

/** A question to this device alone. */
const LOCAL_MS = 2_000;
/** Several relays or servers, a few at a time, each with a limit of its own below this. */
const REMOTE_MS = 15_000;

/** An examination ends by then, whatever its checks do: {@link REMOTE_MS}, and time to tell. */
export const EXAMINATION_MS = 18_000;

/** Longest text of a report: what a library quotes in an error can be a page long. */
const MAX_TEXT = 500;

const CHECKS: Readonly<Record<DoctorCheckId, { readonly run: Check; readonly timeoutMs: number }>> = {
  network: { run: checkNetwork, timeoutMs: LOCAL_MS },
  secure_context: { run: checkSecureContext, timeoutMs: LOCAL_MS },
  service_worker: { run: checkServiceWorker, timeoutMs: LOCAL_MS },
  page: { run: checkPage, timeoutMs: LOCAL_MS },
  local_network: { run: checkLocalNetwork, timeoutMs: LOCAL_MS },
  relay_http: { run: checkRelayHttp, timeoutMs: REMOTE_MS },
  relay_socket: { run: checkRelaySocket, timeoutMs: REMOTE_MS },
  relay_reservation: { run: checkRelayReservation, timeoutMs: REMOTE_MS },
  members: { run: checkMembers, timeoutMs: LOCAL_MS },
  ice_candidates: { run: checkIceCandidates, timeoutMs: REMOTE_MS },
  peer_links: { run: checkPeerLinks, timeoutMs: LOCAL_MS },
  relayed_limits: { run: checkRelayedLimits, timeoutMs: LOCAL_MS },
  clock: { run: checkClock, timeoutMs: REMOTE_MS },
  storage: { run: checkStorage, timeoutMs: LOCAL_MS },
};

export interface DoctorOptions {
  readonly kind: DoctorReport['kind'];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onCheck?: (check: DoctorCheck) => void;
  /** texts that no report may hold, whoever quotes them */
  readonly secrets: readonly string[];
}

/**
 * Examines how a peer is connected. The checks run side by side and know nothing of each other: one that throws or takes
 * too long is in the report as failed, with its reason.
 * @throws `signal.reason` when it fires
 */
export async function runDoctor(probes: DoctorProbes, options: DoctorOptions): Promise<DoctorReport> {
  const { kind, clock, onCheck } = options;
  options.signal.throwIfAborted();
  const redact = createRedactor(options.secrets);
  const startedAt = clock.now();
  const whole = startDeadline({ clock, ms: EXAMINATION_MS, what: 'the examination', signal: options.signal });
  const examination: Examination = { probes, relays: relayAnswers(probes, clock, whole.signal), clock };
  try {
    const checks = await Promise.all(
      DOCTOR_CHECKS.map(async ({ id, title }) => {
        const begun = clock.now();
        const { status, reason, advice, details } = await find(id, examination, whole.signal);
        const check: DoctorCheck = {
          id,
          title,
          status,
          reason: tidy(reason, redact),
          advice: advice === null ? null : tidy(advice, redact),
          // an object stays one
          details: redactJson(details, redact) as DoctorCheck['details'],
          tookMs: Math.max(0, Math.round(clock.now() - begun)),
        };
        if (!options.signal.aborted) onCheck?.(check);
        return check;
      }),
    );
    options.signal.throwIfAborted();
    return { startedAt, tookMs: Math.max(0, Math.round(clock.now() - startedAt)), kind, status: worst(checks), checks };
  } finally {
    whole.dispose();
  }
}

async function find(id: DoctorCheckId, examination: Examination, signal: AbortSignal): Promise<Finding> {
  const { run, timeoutMs } = CHECKS[id];
  const deadline = startDeadline({ clock: examination.clock, ms: timeoutMs, what: 'this check', signal });
  try {
    // a check may throw before it returns its promise
    return await deadline.race(Promise.resolve().then(() => run(examination, deadline.signal)));
  } catch (thrown) {
    const { code, message } = toTabmeshError(deadline.reason() ?? thrown);
    return failed(`It could not be checked: ${message}.`, 'Run it again; if it stays so, report it with this text.', {
      error: code,
    });
  } finally {
    deadline.dispose();
  }
}

function tidy(text: string, redact: (text: string) => string): string {
  const clean = redact(text)
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\.\.(?!\.)/g, '.');
  return clean.length <= MAX_TEXT ? clean : `${clean.slice(0, MAX_TEXT)}…`;
}

function worst(checks: readonly DoctorCheck[]): DoctorReport['status'] {
  const found = new Set(checks.map(({ status }) => status));
  return found.has('failed') ? 'failed' : found.has('warning') ? 'warning' : 'ok';
}
