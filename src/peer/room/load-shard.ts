import type { ShardSearch } from '../../contracts/search.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';

/**
 * Loads a shard. A segment that is damaged or newer than this app is left where it is and missing from searches; the rest
 * answers.
 * @throws when nothing can be read
 */
export async function loadShard(shard: ShardSearch, log: Log, signal?: AbortSignal): Promise<void> {
  try {
    await shard.load(signal);
  } catch (thrown) {
    const error = toTabmeshError(thrown);
    if (error.code !== 'corrupt' && error.code !== 'format_newer') throw error;
    log.warn('a part of the index cannot be read', { reason: error.message, hint: error.hint, ...error.details });
  }
}
