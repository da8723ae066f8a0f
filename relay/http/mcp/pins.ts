import { createHash } from 'node:crypto';
import type { RoomTool, ToolMetadata } from '../../../src/contracts/tools.ts';
import { canonicalJson } from '../../../src/lib/canonical-json.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { createListeners } from '../../../src/lib/listeners.ts';
import { MAX_PINS } from './limits.ts';

/** A tool of another peer whose definition is not the one that was seen first. */
export interface Quarantined {
  readonly tool: string;
  /** who offers it so now */
  readonly peers: readonly { readonly peer: string; readonly name: string }[];
  /** SHA-256 of the canonical JSON, hexadecimal: of the definition that was accepted, and of this one */
  readonly pinned: string;
  readonly offered: string;
  readonly definition: Definition;
}

/** What a client is told of a tool, and acts on. */
export type Definition = Pick<ToolMetadata, 'name' | 'description' | 'inputSchema' | 'outputSchema' | 'annotations'>;

/**
 * Tool definitions of other peers, pinned at first use by the hash of their canonical JSON (RFC 8785). A changed one is
 * quarantined: not listed and not called until somebody has accepted it. What this relay offers itself needs no pin, and
 * nobody can offer it otherwise without being held to it.
 */
export interface Pins {
  /** Whether the tool may be shown. A definition that is new is pinned. */
  admit(tool: RoomTool): boolean;
  /** @throws `conflict` for a quarantined tool */
  check(tool: string): void;
  quarantined(): readonly Quarantined[];
  /**
   * Accepts the definition as it was seen.
   * @param offered its hash: it may have changed again meanwhile
   * @throws `not_found`, `conflict`, `storage_failed`
   */
  accept(tool: string, offered: string): Promise<void>;
  /** after something was accepted */
  subscribe(listener: () => void): () => void;
}

/** Where the pins of a room are kept. */
export interface PinStore {
  /** by tool name */
  readonly initial: Readonly<Record<string, string>>;
  /** Keeps all of them, durably. @throws `storage_failed` */
  save(pins: Readonly<Record<string, string>>): Promise<void>;
}

/** Makes the {@link Pins} of a room. @param onUnsaved told when what was pinned at first use could not be kept */
export function createPins(store: PinStore, onUnsaved: (error: unknown) => void): Pins {
  const pinned = new Map(Object.entries(store.initial));
  const own = new Map<string, string>();
  const waiting = new Map<string, Quarantined>();
  const accepted = createListeners();
  const save = () => store.save(Object.fromEntries(pinned));

  return {
    admit({ metadata, places }) {
      const { name } = metadata;
      const offered = definitionHash(metadata);
      if (places.some(({ kind }) => kind === 'self')) {
        own.set(name, offered);
        waiting.delete(name);
        return true;
      }
      const known = pinned.get(name) ?? own.get(name);
      if (known === offered) {
        waiting.delete(name);
        return true;
      }
      if (known === undefined && offered !== NOT_JSON && pinned.size < MAX_PINS) {
        pinned.set(name, offered);
        save().catch(onUnsaved);
        return true;
      }
      waiting.set(name, {
        tool: name,
        peers: places.map(({ peer, name: peerName }) => ({ peer, name: peerName })),
        pinned: known ?? '',
        offered,
        definition: definitionOf(metadata),
      });
      return false;
    },
    check(tool) {
      const held = waiting.get(tool);
      if (held === undefined) return;
      throw new TabmeshError('conflict', `the definition of ${tool} is not the one that was accepted`, {
        hint: 'Who runs the relay can look at what has changed, and accept it.',
        details: { quarantined: true, pinned: held.pinned, offered: held.offered },
      });
    },
    quarantined: () => [...waiting.values()],
    async accept(tool, offered) {
      const held = waiting.get(tool);
      if (held === undefined) throw new TabmeshError('not_found', `no changed definition of ${tool} waits`);
      if (held.offered !== offered) {
        throw new TabmeshError('conflict', `the definition of ${tool} has changed again`, {
          hint: 'Look at it as it is now.',
          details: { offered: held.offered },
        });
      }
      const before = pinned.get(tool);
      pinned.set(tool, offered);
      try {
        await save();
      } catch (error) {
        if (before === undefined) pinned.delete(tool);
        else pinned.set(tool, before);
        throw error;
      }
      waiting.delete(tool);
      accepted.notify();
    },
    subscribe: (listener) => accepted.add(listener),
  };
}

function definitionOf({ name, description, inputSchema, outputSchema, annotations }: ToolMetadata): Definition {
  return { name, description, inputSchema, outputSchema, annotations };
}

/** In place of a hash: a definition without a canonical form (too deep, broken text) is never admitted. */
const NOT_JSON = 'none';

/** SHA-256 of the canonical JSON of what a client sees of a tool, hexadecimal. */
export function definitionHash(metadata: ToolMetadata): string {
  try {
    return createHash('sha256')
      .update(canonicalJson(definitionOf(metadata)))
      .digest('hex');
  } catch (error) {
    if (error instanceof TabmeshError) return NOT_JSON;
    throw error;
  }
}
