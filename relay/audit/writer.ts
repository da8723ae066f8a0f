import type { FileHandle } from 'node:fs/promises';
import type { AuditEvent } from '../../src/contracts/access.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { CHAIN_START, lineOf, linkEntry, readLine, type Link } from './chain.ts';
import { cutTornTail, fileName, listFiles, openToAppend, readLines, removeFile } from './files.ts';
import type { AuditLimits } from './limits.ts';
import { note } from './note.ts';
import { prunedText } from './verify.ts';

/** Appends to the newest file, begins new ones, and deletes those that are over the limits. */
export class ChainWriter {
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
