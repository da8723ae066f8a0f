import fc from 'fast-check';
import * as dagCbor from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { sha256 } from 'multiformats/hashes/sha2';
import { describe, expect, it } from 'vitest';
import { addressOfDigest, digestOf } from '../../../src/lib/block-address.ts';

const digests = fc.uint8Array({ minLength: 32, maxLength: 32 });
const cidOf = (digest: Uint8Array) => CID.createV1(dagCbor.code, Digest.create(sha256.code, digest)).toString();

/** Whether the general parser takes the text for the canonical address of a block of ours. */
function isOurs(text: string): boolean {
  try {
    const cid = CID.parse(text);
    const { multihash } = cid;
    const kind = cid.version === 1 && cid.code === dagCbor.code && multihash.code === sha256.code;
    // the parsed one would return the text that it came from
    return kind && multihash.size === 32 && CID.createV1(cid.code, multihash).toString() === text;
  } catch {
    return false;
  }
}

describe("a block's address", () => {
  it('is the text that the multiformats library makes, and leads back to the digest', () => {
    fc.assert(
      fc.property(digests, (digest) => {
        const address = addressOfDigest(digest);
        expect(address).toBe(cidOf(digest));
        expect(digestOf(address)).toEqual(digest);
      }),
    );
  });

  it('is refused wherever the library refuses it, or finds another way to write it', () => {
    const anyChar = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz234567ABC019=/ é\u0000'.split(''));
    fc.assert(
      fc.property(digests, fc.nat(58), anyChar, (digest, at, char) => {
        const right = cidOf(digest);
        const text = right.slice(0, at) + char + right.slice(at + 1);
        const found = digestOf(text);
        expect(found !== undefined).toBe(isOurs(text));
        if (found !== undefined) expect(cidOf(found)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(['', 'b', 'bafyrei', cidOf(new Uint8Array(32)).slice(1), `${cidOf(new Uint8Array(32))}a`])(
    'is not "%s"',
    (text) => {
      expect(digestOf(text)).toBeUndefined();
    },
  );
});
