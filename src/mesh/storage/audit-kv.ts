import type { AuditSegment, AuditShelf, AuditStore, UnchainedEvent } from '../../contracts/audit.ts';
import type { KeyValueStore } from '../../contracts/kv.ts';
import { randomId } from '../../lib/ids.ts';
import type { WriteLock } from './lock.ts';

/** Which segments there are, in one value: rewritten with each append, a few kilobytes. */
const INDEX = 'audit/index';
const LINES = 'audit/lines/';
const SHELF = 'audit/shelf/';
/** Numbers in keys have so many digits, so that keys are in their order: a segment has at most as many parts as bytes. */
const DIGITS = 10;

interface KeptSegment extends Omit<AuditSegment, 'name'> {
  /** appends that it consists of, each a value of its own */
  readonly parts: number;
}

const encoder = new TextEncoder();
const padded = (number: number): string => String(number).padStart(DIGITS, '0');
const prefixOf = (segment: number): string => `${LINES}${padded(segment)}/`;

/**
 * The lines of an audit log in a key-value store that the tabs of a device share. Each append is one transaction: all of it is
 * there, or nothing.
 * @param lock shared by all who write the log
 */
export function createAuditKv(store: KeyValueStore, lock: WriteLock): AuditStore {
  /** as it was last read within the lock */
  let index: readonly KeptSegment[] = [];
  /** on the shelf, and in what the next append writes */
  let taken: readonly string[] = [];
  const readIndex = async () => (index = (await store.get<readonly KeptSegment[]>(INDEX)) ?? []);
  const shelf: AuditShelf = {
    put: (events) => store.batch([{ key: `${SHELF}${randomId()}`, value: events }], { parting: true }),
    async take() {
      taken = await store.keys(SHELF);
      const left = await store.getMany<readonly UnchainedEvent[]>(taken);
      return left.flatMap((events) => events ?? []).sort((a, b) => a.at - b.at);
    },
  };
  return {
    mended: null,
    shelf,
    exclusive: (work) => lock.run(work),
    async tail() {
      const newest = (await readIndex()).at(-1);
      return newest === undefined ? null : { number: newest.number, bytes: newest.bytes };
    },
    segments: async () =>
      (await readIndex()).map(({ parts: _, ...segment }) => ({ ...segment, name: `segment ${segment.number}` })),
    async lines(segment) {
      const keys = await store.keys(prefixOf(segment));
      const parts = await store.getMany<string>(keys);
      return parts.flatMap((part) => (part === undefined || part === '' ? [] : part.slice(0, -1).split('\n')));
    },
    async append(segment, text, at) {
      const old = index.find(({ number }) => number === segment) ?? { bytes: 0, parts: 0 };
      const next: KeptSegment = {
        number: segment,
        bytes: old.bytes + encoder.encode(text).byteLength,
        parts: old.parts + 1,
        writtenAt: at,
      };
      const kept = [...index.filter(({ number }) => number !== segment), next];
      const shelved = taken;
      taken = [];
      await store.batch([
        { key: prefixOf(segment) + padded(old.parts), value: text },
        { key: INDEX, value: kept },
        ...shelved.map((key) => ({ key, value: undefined })),
      ]);
      index = kept;
    },
    async remove(segment) {
      const kept = index.filter(({ number }) => number !== segment);
      const keys = await store.keys(prefixOf(segment));
      await store.batch([{ key: INDEX, value: kept }, ...keys.map((key) => ({ key, value: undefined }))]);
      index = kept;
    },
    // the store belongs to who opened it
    close: () => Promise.resolve(),
  };
}
