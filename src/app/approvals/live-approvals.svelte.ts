import { createSubscriber } from 'svelte/reactivity';
import type { RoomClient } from '../../contracts/app.ts';
import type { ApprovalRequest, ApprovalsPort, ClassAccess, StandingDecision } from '../../contracts/approvals.ts';
import { toTabmeshError, type WireError } from '../../lib/errors.ts';
import { now } from '../ui/now.svelte.ts';

/** What a device's owner is asked and has answered, for Svelte. */
export class LiveApprovals {
  readonly port: ApprovalsPort;
  readonly #track: () => void;

  constructor(port: ApprovalsPort) {
    this.port = port;
    this.#track = createSubscriber((update) => port.subscribe(update));
  }

  /** oldest first */
  get pending(): readonly ApprovalRequest[] {
    this.#track();
    // they expire, which nothing announces
    now();
    return this.port.pending();
  }

  /** newest first */
  get standing(): readonly StandingDecision[] {
    this.#track();
    now();
    return this.port.standing();
  }

  get classAccess(): ClassAccess {
    this.#track();
    return this.port.classAccess();
  }
}

export type ApprovalsState =
  | { readonly status: 'loading' }
  | { readonly status: 'failed'; readonly error: WireError }
  | { readonly status: 'ready'; readonly approvals: LiveApprovals };

/** The way to {@link LiveApprovals}: they are read from storage, which takes a moment and may fail. */
export class ApprovalsLoader {
  state = $state.raw<ApprovalsState>({ status: 'loading' });
  readonly #client: Pick<RoomClient, 'approvals'>;

  constructor(client: Pick<RoomClient, 'approvals'>) {
    this.#client = client;
  }

  /** Never rejects: a failure is in `state`. */
  async load(): Promise<void> {
    if (this.state.status === 'failed') this.state = { status: 'loading' };
    try {
      this.state = { status: 'ready', approvals: new LiveApprovals(await this.#client.approvals()) };
    } catch (thrown) {
      this.state = { status: 'failed', error: toTabmeshError(thrown).toWire() };
    }
  }
}
