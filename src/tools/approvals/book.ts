import type { ApprovalsPort, ApprovalRequest } from '../../contracts/approvals.ts';
import type { KeyValueStore } from '../../contracts/kv.ts';
import type { Clock } from '../../lib/clock.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { randomId } from '../../lib/ids.ts';
import { createListeners } from '../../lib/listeners.ts';
import type { AccessChannel, AccessSettings } from './class-access.ts';
import { handleAt } from './handle.ts';
import { readApprovals, writeApprovals } from './kept.ts';
import { ask, decide, NOTHING_ASKED, revoke, stands } from './state.ts';
import type { ApprovalState, AskedCall, AskOutcome } from './state.ts';

/** Lets one piece of work at a time change what the tabs of a device share. */
export interface Exclusive {
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export interface ApprovalBookOptions {
  /** of the room at this device; all its tabs share it */
  readonly store: KeyValueStore;
  readonly lock: Exclusive;
  readonly channel: AccessChannel;
  readonly settings: AccessSettings;
  /** behind the handles that are given out: where the call must be repeated */
  readonly place: string;
  readonly clock: Clock;
  readonly onError: (thrown: unknown) => void;
}

/** What was asked and answered at this device, the same in all its tabs: every change goes through the store. */
export class ApprovalBook implements ApprovalsPort {
  readonly #options: ApprovalBookOptions;
  readonly #changed = createListeners();
  #state: ApprovalState = NOTHING_ASKED;
  #attending = 0;

  private constructor(options: ApprovalBookOptions) {
    this.#options = options;
  }

  /** Reads the book. @throws `format_newer`, `corrupt`, `storage_failed` */
  static async open(options: ApprovalBookOptions): Promise<ApprovalBook> {
    const book = new ApprovalBook(options);
    const { channel, settings, onError } = options;
    channel.subscribe(() => {
      book.#refresh().catch(onError);
    });
    settings.subscribe(() => {
      book.#changed.notify();
    });
    await book.#refresh();
    return book;
  }

  /** Whether somebody can answer now. */
  get attended(): boolean {
    return this.#attending > 0;
  }

  /** A call asks; what it answers is on disk. @throws `storage_failed`, `quota_exceeded` */
  ask(call: AskedCall): Promise<AskOutcome> {
    const handle = handleAt(randomId(), this.#options.place);
    return this.#change((state, now) => ask(state, call, now, handle));
  }

  pending(): readonly ApprovalRequest[] {
    const now = this.#options.clock.now();
    return this.#state.requests
      .filter(({ state, expiresAt }) => state === 'pending' && now < expiresAt)
      .map(({ handle, asker, tool, access, args, asked, askedAt, expiresAt }) => ({
        ...{ handle, asker, tool, access, args, asked, askedAt, expiresAt },
        state: 'pending' as const,
      }));
  }

  async decide(handle: string, answer: Parameters<ApprovalsPort['decide']>[1]): Promise<void> {
    const found = await this.#change((state, now) => decide(state, handle, answer, now, randomId()));
    if (found) return;
    throw new TabmeshError('not_found', 'no call of that handle waits for an answer', {
      hint: 'It may have been answered in another tab, or have expired.',
    });
  }

  standing(): ReturnType<ApprovalsPort['standing']> {
    const now = this.#options.clock.now();
    return this.#state.decisions
      .filter((decision) => stands(decision, now))
      .map(({ id, asker, tool, decision, decidedAt, expiresAt }) => ({
        ...{ id, asker, tool, decision, decidedAt, expiresAt },
      }));
  }

  async revoke(id: string): Promise<void> {
    if (await this.#change((state) => revoke(state, id))) return;
    throw new TabmeshError('not_found', 'no answer of that id stands');
  }

  classAccess(): ReturnType<ApprovalsPort['classAccess']> {
    return this.#options.settings.current();
  }

  setClassAccess(access: Parameters<ApprovalsPort['setClassAccess']>[0]): Promise<void> {
    return this.#options.settings.set(access);
  }

  subscribe(listener: () => void): () => void {
    return this.#changed.add(listener);
  }

  attend(): () => void {
    let attends = true;
    this.#attending++;
    return () => {
      if (attends) this.#attending--;
      attends = false;
    };
  }

  async #change<T>(
    step: (state: ApprovalState, now: number) => { readonly state: ApprovalState; readonly result: T },
  ): Promise<T> {
    const { store, lock, clock, channel } = this.#options;
    const { result, news } = await lock.run(async () => {
      // another tab may have answered a moment ago
      const before = await readApprovals(store);
      const after = step(before, clock.now());
      if (after.state !== before) await writeApprovals(store, after.state);
      this.#state = after.state;
      return { result: after.result, news: after.state !== before };
    });
    if (news) {
      channel.announce();
      this.#changed.notify();
    }
    return result;
  }

  async #refresh(): Promise<void> {
    this.#state = await readApprovals(this.#options.store);
    this.#changed.notify();
  }
}
