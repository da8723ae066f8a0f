import * as Y from 'yjs';
import type { DocContent } from './fold.ts';

/** The typed maps of one device's document. */
export interface DocMaps {
  readonly profile: Y.Map<unknown>;
  readonly datasets: Y.Map<unknown>;
  readonly segments: Y.Map<unknown>;
}

/** The Yjs document of one device, built from its log in order. Nothing in it is trusted: `fold.ts` looks at every value. */
export interface DeviceDoc {
  /** Takes over the next update of the log. @returns what is wrong with it, if anything; never throws */
  apply(update: Uint8Array): string | undefined;
  /** Changes the maps in one transaction. @returns the update that does the same elsewhere, undefined when nothing changed */
  change(mutate: (maps: DocMaps) => void): Uint8Array | undefined;
  content(): DocContent;
}

export function createDeviceDoc(): DeviceDoc {
  const doc = new Y.Doc();
  const maps: DocMaps = {
    profile: doc.getMap('profile'),
    datasets: doc.getMap('datasets'),
    segments: doc.getMap('segments'),
  };
  return {
    apply: (update) => {
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
    },
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
    }),
  };
}

/** True when the bytes are a Yjs update (v1) from start to end. */
export function isUpdate(update: Uint8Array): boolean {
  try {
    Y.decodeUpdate(update);
    return true;
  } catch {
    // the question is whether it decodes
    return false;
  }
}
