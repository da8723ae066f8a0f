import * as Y from 'yjs';
import type { DocContent } from './fold.ts';
import { MAX_STRUCTS_PER_DOC } from './limits.ts';
import { snapshotOf } from './snapshot.ts';
import { readUpdate } from './yjs-update.ts';

/** The typed maps of one device's document. */
export interface DocMaps {
  readonly profile: Y.Map<unknown>;
  readonly datasets: Y.Map<unknown>;
  readonly segments: Y.Map<unknown>;
  readonly revocations: Y.Map<unknown>;
}

/** The Yjs document of one device, built from its log in order. Nothing in it is trusted: `fold.ts` looks at every value. */
export interface DeviceDoc {
  /** Takes over the next updates of the log. @returns what is wrong with each, if anything; never throws */
  apply(updates: readonly Uint8Array[]): readonly (string | undefined)[];
  /** Changes the maps in one transaction. @returns the update that does the same elsewhere, undefined when nothing changed */
  change(mutate: (maps: DocMaps) => void): Uint8Array | undefined;
  content(): DocContent;
  /** Updates that make a new document of the same content, see {@link snapshotOf}. */
  snapshot(): readonly Uint8Array[] | undefined;
}

export function createDeviceDoc(): DeviceDoc {
  const doc = new Y.Doc();
  const maps: DocMaps = {
    profile: doc.getMap('profile'),
    datasets: doc.getMap('datasets'),
    segments: doc.getMap('segments'),
    revocations: doc.getMap('revocations'),
  };
  const order = createOrder();

  const applyOne = (update: Uint8Array): string | undefined => {
    const problem = order.follow(update);
    if (problem !== undefined) return problem;
    try {
      Y.applyUpdate(doc, update);
    } catch (thrown) {
      return `an update could not be applied: ${String(thrown)}`;
    }
    if (doc.store.pendingStructs === null && doc.store.pendingDs === null) return undefined;
    // a log has no gaps, so what an update refers to is never still to come; kept, it would be tried again for ever
    doc.store.pendingStructs = null;
    doc.store.pendingDs = null;
    return 'an update refers to something that its author never wrote';
  };

  return {
    // in one transaction: each looks at all that the document is made of
    apply: (updates) => doc.transact(() => updates.map(applyOne)),
    change: (mutate) => {
      const updates: Uint8Array[] = [];
      const collect = (update: Uint8Array) => updates.push(update);
      doc.on('update', collect);
      try {
        doc.transact(() => {
          mutate(maps);
        });
      } finally {
        doc.off('update', collect);
      }
      return updates.length === 0 ? undefined : Y.mergeUpdates(updates);
    },
    content: () => ({
      profile: new Map(maps.profile.entries()),
      datasets: new Map(maps.datasets.entries()),
      segments: new Map(maps.segments.entries()),
      revocations: new Map(maps.revocations.entries()),
    }),
    snapshot: () =>
      snapshotOf(
        new Map([...doc.share].map(([name, type]) => [name, type instanceof Y.Map ? type : doc.getMap(name)])),
      ),
  };
}

/**
 * Sees to it that a document is written by one after the other, as a log is: each value of a key stands after the one
 * before it. Where many stand at one place, Yjs compares each with all, and a few megabytes would take it for hours.
 */
function createOrder(): { follow(update: Uint8Array): string | undefined } {
  const taken = new Set<string>();
  let structs = 0;
  return {
    follow: (update) => {
      const read = readUpdate(update);
      if (read === undefined) return 'not an update of plain values in maps';
      const places = read.structs.flatMap(({ after }) => after ?? []);
      const isInOrder = new Set(places).size === places.length && !places.some((place) => taken.has(place));
      if (!isInOrder) return 'an update that knows nothing of the ones before it';
      structs += read.structs.length + read.deletions;
      if (structs > MAX_STRUCTS_PER_DOC) return 'the document is made of too many parts';
      for (const place of places) taken.add(place);
      return undefined;
    },
  };
}
