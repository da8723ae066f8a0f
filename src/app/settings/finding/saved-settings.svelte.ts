import type { AppHost, Settings } from '../../../contracts/app.ts';
import { toTabmeshError, type WireError } from '../../../lib/errors.ts';

/** This browser's settings, as they are stored. */
export class SavedSettings {
  /** null until they are read */
  now = $state.raw<Settings | null>(null);
  /** why they could not be read, or not be written */
  error = $state.raw<WireError | null>(null);
  readonly #host: Pick<AppHost, 'settings' | 'saveSettings'>;

  constructor(host: Pick<AppHost, 'settings' | 'saveSettings'>) {
    this.#host = host;
  }

  /** Never rejects: a failure is in `error`. */
  async load(): Promise<void> {
    this.error = null;
    try {
      this.now = await this.#host.settings();
    } catch (thrown) {
      this.error = toTabmeshError(thrown, 'storage_failed').toWire();
    }
  }

  /**
   * Stores a part of them; another tab may have stored another.
   * @throws `quota_exceeded`, `storage_failed`
   */
  async save(part: Partial<Settings>): Promise<void> {
    const next = { ...(await this.#host.settings()), ...part };
    await this.#host.saveSettings(next);
    this.now = next;
  }
}
