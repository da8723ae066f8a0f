import { createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditEvent, AuditPort } from '../../src/contracts/access.ts';
import { canonicalJson } from '../../src/lib/canonical-json.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { Log } from '../../src/lib/log.ts';
import { readFileIfThere, writeFileAtomic } from '../data-dir/atomic-file.ts';
import { AUDIT_LIMITS, type AuditLimits } from './limits.ts';
import { note } from './note.ts';
import { readAudit } from './read.ts';
import type { AuditRecord, AuditSink } from './record.ts';
import { verifyAudit } from './verify.ts';
import { ChainWriter } from './writer.ts';

const FOLDER_MODE = 0o700;
const KEY_BYTES = 32;
/** Longer arguments are not kept, even when others are: a full queue of them must fit into memory. */
const MAX_KEPT_CHARS = 8_192;

/** The audit log of a relay: append-only, each entry linked to the one before by its hash. */
export interface AuditLog extends AuditSink, AuditPort {
  /** entries waiting to be written, and how many had to be left out since the start */
  counts(): { readonly waiting: number; readonly written: number; readonly lost: number };
  /** Resolves when all that was recorded is on disk. @throws the file system's error */
  flush(): Promise<void>;
  /** Writes what waits, and closes the file; harmless when called again. */
  close(): Promise<void>;
}

export interface AuditLogOptions {
  /** the relay's data folder */
  readonly dataDir: string;
  /** keep arguments as they are, beside their hash */
  readonly keepArguments: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: AuditLimits;
}

/**
 * Opens the audit log, mending what a crash has left half-written.
 * @throws the file system's error
 */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { clock, log, keepArguments, limits = AUDIT_LIMITS } = options;
  const folder = join(options.dataDir, 'audit');
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const key = await installKey(join(folder, 'hmac-key'));
  const writer = await ChainWriter.open(folder, limits, clock);

  const queue: { readonly event: AuditEvent; readonly at: number }[] = [];
  let lost = 0;
  let told = 0;
  let writing: Promise<void> | null = null;
  let closing: Promise<void> | undefined;

  const enqueue = (event: AuditEvent) => {
    if (queue.length >= limits.queue) {
      lost++;
      return;
    }
    queue.push({ event, at: clock.now() });
  };

  const drain = async () => {
    while (queue.length > 0) {
      const batch = queue.splice(0, limits.batch);
      if (lost > told) {
        batch.push({ event: note(`left out ${lost - told} entries: the disk was too slow`), at: clock.now() });
        told = lost;
      }
      try {
        await writer.append(batch);
      } catch (error) {
        // they count as lost, and the next entry says so
        lost += batch.length;
        log.error('audit log not written', { error: String(error), entries: batch.length });
      }
    }
  };
  const flush = async (): Promise<void> => {
    while (writing !== null || queue.length > 0) {
      writing ??= drain().finally(() => {
        writing = null;
      });
      await writing;
    }
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

  const asEvent = ({ args, ...record }: AuditRecord): AuditEvent => {
    if (args === undefined) return { ...record, argsHmac: null };
    const text = textOf(args);
    const argsHmac = createHmac('sha256', key).update(text).digest('hex');
    return { ...record, argsHmac, ...(keepArguments && text.length <= MAX_KEPT_CHARS ? { args } : {}) };
  };

  if (writer.torn > 0) {
    enqueue(note(`cut off ${writer.torn} bytes of an entry that was not written to its end`));
    schedule();
  }
  return {
    record(event) {
      if (closing !== undefined) return;
      enqueue(asEvent(event));
      schedule();
    },
    counts: () => ({ waiting: queue.length, written: writer.written, lost }),
    flush,
    async read(query, signal) {
      await flush();
      return await readAudit(folder, query, signal);
    },
    async verify(signal) {
      await flush();
      return await verifyAudit(folder, signal);
    },
    close() {
      closing ??= flush().then(() => writer.close());
      return closing;
    },
  };
}

/**
 * A key that never leaves this folder: without it nobody can guess arguments from their hashes. Made into an object once:
 * from bytes, Node makes one for every hash, at ten times the time.
 */
async function installKey(path: string): Promise<KeyObject> {
  const text = (await readFileIfThere(path))?.trim();
  if (text !== undefined && /^[0-9a-f]{64}$/.test(text)) return createSecretKey(text, 'hex');
  const made = randomBytes(KEY_BYTES);
  await writeFileAtomic(path, `${made.toString('hex')}\n`);
  return createSecretKey(made);
}

/** Canonical, so that the same arguments have the same hash; what has no such form is taken as it is written. */
function textOf(args: unknown): string {
  try {
    return canonicalJson(args);
  } catch {
    return JSON.stringify(args);
  }
}
