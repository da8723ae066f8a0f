import { TabmeshError } from '../../lib/errors.ts';

export interface RequestContext {
  readonly signal: AbortSignal;
  /** tells the caller how things go. @returns false when it was left out, because the caller reads slowly */
  notify(method: string, params: Record<string, unknown>): boolean;
}

/** A request of the other side that is running here. Its signal is made when somebody asks for it. */
export class ServedRequest implements RequestContext {
  readonly notify: RequestContext['notify'];
  #controller: AbortController | null = null;
  #reason: TabmeshError | null = null;

  constructor(notify: RequestContext['notify']) {
    this.notify = notify;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#reason !== null) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get cancelled(): boolean {
    return this.#reason !== null;
  }

  cancel(reason = new TabmeshError('cancelled', 'the caller cancelled')): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }
}
