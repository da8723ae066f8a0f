import { toTabmeshError, type WireError } from '../../../lib/errors.ts';
import { toast } from '../../ui/announce.svelte.ts';

/** One form's way to its store: busy, done or failed. */
export class Saving {
  busy = $state(false);
  error = $state.raw<WireError | null>(null);

  /**
   * Runs a write unless one is under way. Never rejects.
   * @param done said when it worked
   * @returns whether it worked
   */
  async run(work: () => Promise<void>, done: string): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.error = null;
    try {
      await work();
      toast(done);
      return true;
    } catch (thrown) {
      this.error = toTabmeshError(thrown, 'storage_failed').toWire();
      return false;
    } finally {
      this.busy = false;
    }
  }
}
