import type {
  AuditEvent,
  AuditPort,
  AuditRecord,
  AuditSink,
  AuditStore,
  UnchainedEvent,
} from '../../contracts/audit.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { CallSums } from './call-sums.ts';
import type { AuditHashes } from './hashes.ts';
import type { AuditLimits } from './limits.ts';
import { note } from './note.ts';
import { ChainWriter } from './writer.ts';

/** Longer arguments are not kept, even when others are: a full queue of them must fit into memory. */
const MAX_KEPT_CHARS = 8_192;
/** What may be left out when more comes than can be written; decisions never are. */
const LIMITED: ReadonlySet<AuditEvent['event']> = new Set(['call', 'served', 'refused']);

/** An audit log: append-only, each entry linked to the one before by its hash. */
export interface AuditLog extends AuditSink, AuditPort {
  /** entries waiting to be written, and how many had to be left out since the start */
  counts(): { readonly waiting: number; readonly written: number; readonly lost: number };
  /** Resolves when all that was recorded is durable, or was given up because the store failed. */
  flush(): Promise<void>;
  /** Puts what waits on the store's shelf, at once: for a page that may be gone a moment later. */
  leave(): void;
  /** Writes what waits, and closes the store; harmless when called again. */
  close(): Promise<void>;
}

export interface AuditLogOptions {
  readonly store: AuditStore;
  readonly hashes: AuditHashes;
  readonly limits: AuditLimits;
  /** keep arguments as they are, beside their hash */
  readonly keepArguments: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes the audit log over a store. */
export function createAuditLog(options: AuditLogOptions): AuditLog {
  const { store, hashes, limits, keepArguments, clock, log } = options;
  const writer = new ChainWriter(store, hashes.hash, limits, clock);
  const sums = new CallSums(clock);
  const queue: UnchainedEvent[] = [];
  let lost = 0;
  let told = 0;
  let shelved = store.shelf !== undefined;
  let writing: Promise<void> | null = null;
  let closing: Promise<void> | undefined;

  const asEvent = ({ args, ...record }: AuditRecord): AuditEvent => {
    if (args === undefined) return { ...record, argsHmac: null };
    const text = textOf(args);
    const argsHmac = hashes.hmac(text);
    return { ...record, argsHmac, ...(keepArguments && text.length <= MAX_KEPT_CHARS ? { args } : {}) };
  };
  /** @param most of the queue; with its end come the sums and the word of what was left out */
  const take = (most: number): readonly UnchainedEvent[] => {
    const taken = queue.splice(0, most);
    if (queue.length > 0) return taken;
    const { events, left } = sums.take();
    lost += left;
    const notes = lost > told ? [{ event: leftOut(lost - told), at: clock.now() }] : [];
    told = lost;
    return [...taken, ...events, ...notes];
  };
  const write = async (source: () => readonly UnchainedEvent[]) => {
    let taken: readonly UnchainedEvent[] = [];
    const before = told;
    try {
      await store.exclusive(() => writer.append(() => (taken = source())));
    } catch (error) {
      // they count as lost, and the next entry says so
      lost += taken.length;
      told = before;
      log.error('audit log not written', { error: String(error), entries: taken.length });
      return false;
    }
    return true;
  };
  const takeShelf = async () => {
    const { shelf } = store;
    if (!shelved || shelf === undefined) return;
    shelved = false;
    try {
      await store.exclusive(async () => {
        const left = await shelf.take();
        await writer.append(() => left);
      });
    } catch (error) {
      // it stays there
      shelved = true;
      log.error('audit log not taken off its shelf', { error: String(error) });
    }
  };
  const waits = () => queue.length > 0 || !sums.empty || lost > told;
  const drain = async () => {
    await takeShelf();
    while (waits()) {
      if (!(await write(() => take(limits.batch)))) return;
    }
  };
  const flush = async (): Promise<void> => {
    if (writing !== null) await writing;
    if (!waits() && !shelved) return;
    writing ??= drain().finally(() => {
      writing = null;
    });
    await writing;
  };
  let scheduled = false;
  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    const begin = () => {
      scheduled = false;
      void flush();
    };
    clock.sleep(limits.batchMs).then(begin, begin);
  };

  if (store.mended !== null) {
    queue.push({ event: note(store.mended), at: clock.now() });
    schedule();
  }
  return {
    record(record) {
      if (closing !== undefined) return;
      if (record.event === 'served' && sums.add(record)) {
        // written with the next batch
      } else if (queue.length >= limits.queue && LIMITED.has(record.event)) {
        lost++;
      } else {
        queue.push({ event: asEvent(record), at: clock.now() });
      }
      schedule();
    },
    counts: () => ({ waiting: queue.length, written: writer.written, lost }),
    flush,
    leave() {
      if (store.shelf === undefined) return;
      const left = take(Infinity);
      if (left.length === 0) return;
      shelved = true;
      store.shelf.put(left).catch((error: unknown) => {
        log.error('audit log not put on its shelf', { error: String(error) });
      });
    },
    async read(query, signal) {
      // another page of the device may have left something since
      shelved = store.shelf !== undefined;
      await flush();
      const { readAudit } = await import('./read.ts');
      return await readAudit(store, query, signal);
    },
    async verify(signal) {
      shelved = store.shelf !== undefined;
      await flush();
      const { verifyAudit } = await import('./verify.ts');
      return await verifyAudit(store, hashes.hash, signal);
    },
    close() {
      closing ??= flush().then(() => store.close());
      return closing;
    },
  };
}

const leftOut = (count: number): AuditEvent => note(`left out ${count} entries: more came than could be written`);

/** Canonical, so that the same arguments have the same hash; what has no such form is taken as it is written. */
function textOf(args: unknown): string {
  try {
    return canonicalJson(args);
  } catch {
    // e.g. what is cut out of another value; in a list, since `undefined` by itself has no JSON
    return JSON.stringify([args]);
  }
}
