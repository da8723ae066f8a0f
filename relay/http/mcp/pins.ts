import { createHash } from 'node:crypto';
import type {
  PinnedDefinition,
  QuarantinedDefinition as Quarantined,
  ToolDefinition as Definition,
} from '../../../src/contracts/definitions.ts';
import type { RoomTool, ToolMetadata } from '../../../src/contracts/tools.ts';
import { canonicalJson } from '../../../src/lib/canonical-json.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { createListeners } from '../../../src/lib/listeners.ts';
import { KeptDefinitions } from './kept-definitions.ts';
import { MAX_PINS, MAX_PINS_PER_DEVICE, MAX_QUARANTINED } from './limits.ts';

/**
 * Tool definitions of other peers, pinned at first use by the hash of their canonical JSON (RFC 8785). A changed one is
 * quarantined: not listed and not called until somebody has accepted it. What this relay offers itself needs no pin, and
 * where it does, others count only with its own version (`src/tools/places.ts`).
 */
export interface Pins {
  /** The tool with the places that offer it as it is pinned; null when none does. A definition that is new is pinned. */
  admit(tool: RoomTool): RoomTool | null;
  /** Admits what a room offers now, all of it: what nobody offers any more waits for no decision. */
  admitAll(tools: readonly RoomTool[]): readonly RoomTool[];
  /**
   * Whose definitions count for a call of this tool: `CallOptions.accepts`.
   * @returns null for what this relay offers itself
   * @throws `conflict` for a quarantined tool
   */
  accepts(tool: string): ((metadata: ToolMetadata) => boolean) | null;
  quarantined(): readonly Quarantined[];
  /** in the order of names */
  pinned(): readonly PinnedDefinition[];
  /**
   * Notes that somebody has looked at a definition and said no. It stays in quarantine, as it would without.
   * @throws as `accept`
   */
  refuse(tool: string, offered: string): Promise<void>;
  /**
   * Accepts the definition as it was seen.
   * @param offered its hash: it may have changed again meanwhile
   * @throws `not_found`, `conflict`, `storage_failed`
   */
  accept(tool: string, offered: string): Promise<void>;
  /** Takes a pin back: the definition that is seen next is pinned. @throws `not_found`, `storage_failed` */
  forget(tool: string): Promise<void>;
  /** after something was accepted or forgotten */
  subscribe(listener: () => void): () => void;
}

/** Where the pins of a room are kept. */
export interface PinStore {
  /** by tool name */
  readonly initial: Readonly<Record<string, string>>;
  /** absent in what was stored before there were any */
  readonly notes?: PinNotes;
  /** Keeps all of them, durably. @throws `storage_failed` */
  save(pins: Readonly<Record<string, string>>, notes?: PinNotes): Promise<void>;
}

/** What is kept for the person who decides, by tool name; no call depends on it. */
export interface PinNotes {
  /** the pinned definitions themselves, as far as they are not too large */
  readonly definitions: Readonly<Record<string, Definition>>;
  /** hashes of what was refused */
  readonly refused: Readonly<Record<string, string>>;
  /** devices that were the first to offer what is pinned */
  readonly devices?: Readonly<Record<string, string>>;
}

/** Makes the {@link Pins} of a room. @param onUnsaved told when what was pinned at first use could not be kept */
export function createPins(store: PinStore, onUnsaved: (error: unknown) => void): Pins {
  const pinned = new Map(Object.entries(store.initial));
  const own = new Map<string, { readonly hash: string; readonly definition: Definition; readonly now: boolean }>();
  const firstBy = new Map(Object.entries(store.notes?.devices ?? {}));
  const matchers = new Map<string, (metadata: ToolMetadata) => boolean>();
  const kept = new KeptDefinitions(store.notes?.definitions ?? {});
  const refused = new Map(Object.entries(store.notes?.refused ?? {}));
  const waiting = new Map<string, Held>();
  const accepted = createListeners();
  const save = () =>
    store.save(Object.fromEntries(pinned), {
      definitions: kept.all(),
      refused: Object.fromEntries(refused),
      devices: Object.fromEntries(firstBy),
    });

  const held = (tool: string, offered: string): Held => {
    const found = waiting.get(tool);
    if (found === undefined) throw new TabmeshError('not_found', `no changed definition of ${tool} waits`);
    if (found.offered === offered) return found;
    throw new TabmeshError('conflict', `the definition of ${tool} has changed again`, {
      hint: 'Look at it as it is now.',
      details: { offered: found.offered },
    });
  };

  const hashNow = (tool: string) => pinned.get(tool) ?? own.get(tool)?.hash;
  const mayPin = (device: string) =>
    pinned.size < MAX_PINS && [...firstBy.values()].filter((each) => each === device).length < MAX_PINS_PER_DEVICE;

  const admit = ({ metadata, places, offers }: RoomTool): RoomTool | null => {
    const { name } = metadata;
    const offered = definitionHash(metadata);
    if (places.some(({ kind }) => kind === 'self')) {
      own.set(name, { hash: offered, definition: definitionOf(metadata), now: true });
      waiting.delete(name);
      return { metadata, places };
    }
    const before = own.get(name);
    if (before?.now === true) own.set(name, { ...before, now: false });
    const all = offers ?? places.map((place) => ({ place, metadata }));
    const as = (hash: string): RoomTool | null => {
      const alike = all.filter((offer) => definitionHash(offer.metadata) === hash);
      return alike[0] === undefined ? null : { metadata: alike[0].metadata, places: alike.map(({ place }) => place) };
    };
    const known = hashNow(name);
    const admitted = known === undefined ? null : as(known);
    if (admitted !== null) {
      // one that was pinned before definitions were kept
      if (pinned.has(name) && kept.get(name) === null) kept.put(definitionOf(admitted.metadata));
      waiting.delete(name);
      return admitted;
    }
    const device = places[0]?.device ?? '';
    if (known === undefined && offered !== NOT_JSON && mayPin(device)) {
      pinned.set(name, offered);
      firstBy.set(name, device);
      kept.put(definitionOf(metadata));
      waiting.delete(name);
      save().catch(onUnsaved);
      return as(offered);
    }
    if (!waiting.has(name) && waiting.size >= MAX_QUARANTINED) return null;
    waiting.set(name, {
      tool: name,
      peers: places.map(({ peer, name: peerName }) => ({ peer, name: peerName })),
      pinned: known ?? '',
      offered,
      definition: definitionOf(metadata),
    });
    return null;
  };

  return {
    admit,
    admitAll(tools) {
      const names = new Set(tools.map(({ metadata }) => metadata.name));
      for (const name of waiting.keys()) if (!names.has(name)) waiting.delete(name);
      return tools.map(admit).filter((tool) => tool !== null);
    },
    accepts(tool) {
      const found = waiting.get(tool);
      if (found !== undefined) {
        throw new TabmeshError('conflict', `the definition of ${tool} is not the one that was accepted`, {
          hint: 'Who runs the relay can look at what has changed, and accept it.',
          details: { quarantined: true, pinned: found.pinned, offered: found.offered },
        });
      }
      if (own.get(tool)?.now === true) return null;
      const hash = hashNow(tool);
      if (hash === undefined) return NOBODY;
      const matcher = matchers.get(tool) ?? matcherOf(hash);
      matchers.set(tool, matcher);
      return matcher;
    },
    quarantined: () =>
      [...waiting.values()].map((each) => ({
        ...each,
        accepted: pinned.has(each.tool) ? kept.get(each.tool) : (own.get(each.tool)?.definition ?? null),
        refused: refused.get(each.tool) === each.offered,
      })),
    pinned: () =>
      [...pinned]
        .map(([tool, hash]) => ({ tool, hash, definition: kept.get(tool) }))
        .sort((a, b) => (a.tool < b.tool ? -1 : 1)),
    async refuse(tool, offered) {
      const before = refused.get(held(tool, offered).tool);
      refused.set(tool, offered);
      try {
        await save();
      } catch (error) {
        if (before === undefined) refused.delete(tool);
        else refused.set(tool, before);
        throw error;
      }
    },
    async forget(tool) {
      const hash = pinned.get(tool);
      if (hash === undefined) throw new TabmeshError('not_found', `no definition of ${tool} is pinned`);
      const before = { definition: kept.get(tool), refused: refused.get(tool), device: firstBy.get(tool) };
      pinned.delete(tool);
      kept.drop(tool);
      refused.delete(tool);
      firstBy.delete(tool);
      try {
        await save();
      } catch (error) {
        pinned.set(tool, hash);
        if (before.definition !== null) kept.put(before.definition);
        if (before.refused !== undefined) refused.set(tool, before.refused);
        if (before.device !== undefined) firstBy.set(tool, before.device);
        throw error;
      }
      matchers.delete(tool);
      accepted.notify();
    },
    async accept(tool, offered) {
      const { definition } = held(tool, offered);
      const before = { hash: pinned.get(tool), definition: kept.get(tool), refused: refused.get(tool) };
      pinned.set(tool, offered);
      kept.put(definition);
      refused.delete(tool);
      try {
        await save();
      } catch (error) {
        if (before.hash === undefined) pinned.delete(tool);
        else pinned.set(tool, before.hash);
        if (before.definition === null) kept.drop(tool);
        else kept.put(before.definition);
        if (before.refused !== undefined) refused.set(tool, before.refused);
        throw error;
      }
      waiting.delete(tool);
      matchers.delete(tool);
      accepted.notify();
    },
    subscribe: (listener) => accepted.add(listener),
  };
}

/** A definition in quarantine, as it came. */
type Held = Omit<Quarantined, 'accepted' | 'refused'>;

function definitionOf({ name, description, inputSchema, outputSchema, annotations }: ToolMetadata): Definition {
  return { name, description, inputSchema, outputSchema, annotations };
}

/** Of a tool that was never admitted no definition counts. */
const NOBODY = () => false;

function matcherOf(hash: string): (metadata: ToolMetadata) => boolean {
  return (metadata) => definitionHash(metadata) === hash;
}

const hashes = new WeakMap<ToolMetadata, string>();

/** In place of a hash: a definition without a canonical form (too deep, broken text) is never admitted. */
const NOT_JSON = 'none';

/** SHA-256 of the canonical JSON of what a client sees of a tool, hexadecimal. */
export function definitionHash(metadata: ToolMetadata): string {
  const known = hashes.get(metadata);
  if (known !== undefined) return known;
  const made = hashOf(metadata);
  hashes.set(metadata, made);
  return made;
}

function hashOf(metadata: ToolMetadata): string {
  try {
    return createHash('sha256')
      .update(canonicalJson(definitionOf(metadata)))
      .digest('hex');
  } catch (error) {
    if (error instanceof TabmeshError) return NOT_JSON;
    throw error;
  }
}
