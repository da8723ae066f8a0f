import { createHmac, randomBytes } from 'node:crypto';
import { mkdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditEvent, AuditPort } from '../../src/contracts/access.ts';
import { canonicalJson } from '../../src/lib/canonical-json.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { Log } from '../../src/lib/log.ts';
import { readFileIfThere, writeFileAtomic } from '../data-dir/atomic-file.ts';
import { CHAIN_START, lineOf, linkEntry, readLine, type Link } from './chain.ts';
import { cutTornTail, fileName, listFiles, openToAppend, readLines, removeFile } from './files.ts';
import { AUDIT_LIMITS, type AuditLimits } from './limits.ts';
import { readAudit } from './read.ts';
import type { AuditRecord, AuditSink } from './record.ts';
import { prunedText, verifyAudit } from './verify.ts';

const FOLDER_MODE = 0o700;
const KEY_BYTES = 32;
/** Longer arguments are not kept, even when others are: a full queue of them must fit into memory. */
const MAX_KEPT_CHARS = 8_192;
/** The relay itself, in entries that nobody asked for. */
const RELAY = { kind: 'nobody', id: 'relay', name: 'relay' } as const;

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

  let queue: { readonly event: AuditEvent; readonly at: number }[] = [];
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
      const batch = queue;
      queue = [];
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

/** Appends to the newest file, begins new ones, and deletes those that are over the limits. */
class ChainWriter {
  readonly #folder: string;
  readonly #limits: AuditLimits;
  readonly #clock: Clock;
  #file: FileHandle;
  #number: number;
  #bytes: number;
  #link: Link;
  written = 0;
  /** bytes of a half-written line that was found at the end */
  readonly torn: number;

  private constructor(
    folder: string,
    limits: AuditLimits,
    clock: Clock,
    state: { file: FileHandle; number: number; bytes: number; link: Link; torn: number },
  ) {
    this.#folder = folder;
    this.#limits = limits;
    this.#clock = clock;
    this.#file = state.file;
    this.#number = state.number;
    this.#bytes = state.bytes;
    this.#link = state.link;
    this.torn = state.torn;
  }

  static async open(folder: string, limits: AuditLimits, clock: Clock): Promise<ChainWriter> {
    const files = await listFiles(folder);
    const newest = files.at(-1);
    const torn = newest === undefined ? 0 : await cutTornTail(folder, newest.name);
    const number = newest?.number ?? 1;
    const file = await openToAppend(folder, fileName(number));
    const { size } = await file.stat();
    const link = await lastLink(folder, files.map(({ name }) => name).reverse());
    return new ChainWriter(folder, limits, clock, { file, number, bytes: size, link, torn });
  }

  async append(events: readonly { readonly event: AuditEvent; readonly at: number }[]): Promise<void> {
    if (this.#bytes >= this.#limits.fileBytes) await this.#beginFile();
    let link = this.#link;
    const text = events
      .map(({ event, at }) => {
        const entry = linkEntry(link, event, at);
        link = entry;
        return lineOf(entry);
      })
      .join('');
    try {
      await this.#file.appendFile(text);
      await this.#file.datasync();
    } catch (error) {
      // half a batch may be there; entries that are linked to it again would break the chain
      await this.#file.truncate(this.#bytes);
      throw error;
    }
    this.#link = link;
    this.#bytes += Buffer.byteLength(text);
    this.written += events.length;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #beginFile(): Promise<void> {
    const next = await openToAppend(this.#folder, fileName(this.#number + 1));
    await this.#file.close();
    this.#file = next;
    this.#number++;
    this.#bytes = 0;
    const removed = await this.#removeOld();
    if (removed !== null) await this.append([{ event: note(prunedText(removed)), at: this.#clock.now() }]);
  }

  /** @returns the last entry of what was deleted */
  async #removeOld(): Promise<Link | null> {
    const files = (await listFiles(this.#folder)).filter(({ number }) => number < this.#number);
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    let last: Link | null = null;
    for (const file of files) {
      const tooOld = this.#clock.now() - file.writtenAt > this.#limits.maxAgeMs;
      if (!tooOld && bytes <= this.#limits.totalBytes) break;
      last = await lastLink(this.#folder, [file.name]);
      await removeFile(this.#folder, file.name);
      bytes -= file.bytes;
    }
    return last;
  }
}

/** Where the chain stands after the newest of these files that has an entry. */
async function lastLink(folder: string, newestFirst: readonly string[]): Promise<Link> {
  for (const name of newestFirst) {
    const { lines } = await readLines(folder, name);
    for (const line of lines.toReversed()) {
      try {
        return readLine(line);
      } catch {
        // `verify` reports it; the chain goes on from the last entry that is whole
      }
    }
  }
  return CHAIN_START;
}

function note(text: string): AuditEvent {
  return {
    event: 'audit.note',
    who: RELAY,
    what: text,
    where: null,
    tookMs: null,
    outcome: 'ok',
    argsHmac: null,
    trace: null,
  };
}

/** A key that never leaves this folder: without it nobody can guess arguments from their hashes. */
async function installKey(path: string): Promise<Buffer> {
  const text = (await readFileIfThere(path))?.trim();
  if (text !== undefined && /^[0-9a-f]{64}$/.test(text)) return Buffer.from(text, 'hex');
  const made = randomBytes(KEY_BYTES);
  await writeFileAtomic(path, `${made.toString('hex')}\n`);
  return made;
}

/** Canonical, so that the same arguments have the same hash; what has no such form is taken as it is written. */
function textOf(args: unknown): string {
  try {
    return canonicalJson(args);
  } catch {
    return JSON.stringify(args);
  }
}
