/** Random input that is the same in every run. `TABMESH_FUZZ_SEED` tries another; a failing test names the one it had. */
export const FUZZ_SEED = Number(process.env['TABMESH_FUZZ_SEED'] ?? 20_260_728);

export interface Chance {
  /** from 0 up to, and without, `limit` */
  below(limit: number): number;
  oneOf<T>(items: readonly T[]): T;
  bytes(length: number): Uint8Array;
}

/** Numbers by chance (mulberry32). @param name so that tests do not share a sequence */
export function chance(name: string): Chance {
  let state = FUZZ_SEED;
  for (const character of name) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x9e3779b1);
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    below,
    oneOf: <T>(items: readonly T[]) => items[below(items.length)] as T,
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
  };
}

/** Spoils a message: cuts it, turns bits, puts noise into it, doubles it, or lies about its length. May leave it as it is. */
export function spoil(by: Chance, message: Uint8Array): Uint8Array {
  switch (by.below(7)) {
    case 0:
      return message;
    case 1:
      return message.slice(0, by.below(message.byteLength + 1));
    case 2: {
      const turned = message.slice();
      for (let i = 0; i < 1 + by.below(4); i++) {
        const at = by.below(turned.byteLength);
        turned[at] = (turned[at] ?? 0) ^ (1 << by.below(8));
      }
      return turned;
    }
    case 3: {
      const at = by.below(message.byteLength + 1);
      return Buffer.concat([message.subarray(0, at), by.bytes(1 + by.below(20)), message.subarray(at)]);
    }
    case 4:
      return Buffer.concat([message, message]);
    case 5: {
      const lying = message.slice();
      if (lying.byteLength >= 4) new DataView(lying.buffer, lying.byteOffset).setUint32(0, by.below(2 ** 32));
      return lying;
    }
    default:
      return by.bytes(by.below(200));
  }
}

/** Cuts bytes into pieces by chance, as a network may. */
export function* pieces(by: Chance, bytes: Uint8Array, largest: number): Generator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.byteLength;) {
    const size = 1 + by.below(largest);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}
