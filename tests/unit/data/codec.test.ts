import * as dagCbor from '@ipld/dag-cbor';
import fc from 'fast-check';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { sha256 } from 'multiformats/hashes/sha2';
import { describe, expect, it } from 'vitest';
import { MAX_BLOCK_BYTES } from '../../../src/contracts/dataset.ts';
import { decodeBlock, encodeBlock, parseCid } from '../../../src/data/codec.ts';
import type { CidString } from '../../../src/lib/ids.ts';
import { failure } from './support.ts';

describe('blocks', () => {
  it('come back as they were, whatever the order of keys they were written in', async () => {
    const json = fc.dictionary(
      fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
      fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean(), fc.constant(null)),
      { noNullPrototype: true },
    );
    await fc.assert(
      fc.asyncProperty(json, async (value) => {
        const block = await encodeBlock(value, 'it');
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect((await encodeBlock(reversed, 'it')).cid).toBe(block.cid);
        expect(await decodeBlock(block, 'it')).toEqual(value);
      }),
    );
  });

  it('have the address that other IPLD software gives them', async () => {
    // {"hello":"world"} as dag-cbor, address computed by hand with the multiformats primitives
    const bytes = Uint8Array.from([
      0xa1,
      0x65,
      ...new TextEncoder().encode('hello'),
      0x65,
      ...new TextEncoder().encode('world'),
    ]);
    const expected = CID.createV1(0x71, await sha256.digest(bytes)).toString();
    const block = await encodeBlock({ hello: 'world' }, 'it');
    expect(block.cid).toBe(expected);
    expect(block.cid).toMatch(/^bafyrei/);
    expect(block.bytes).toEqual(bytes);
  });

  it('are refused above the limit, when written and when read', async () => {
    const fits = await encodeBlock('x'.repeat(MAX_BLOCK_BYTES - 5), 'it');
    expect(fits.bytes.byteLength).toBe(MAX_BLOCK_BYTES);
    expect(await failure(encodeBlock('x'.repeat(MAX_BLOCK_BYTES - 4), 'it'))).toBe('payload_too_large');
    const bytes = new Uint8Array(MAX_BLOCK_BYTES + 1);
    expect(await failure(decodeBlock({ cid: fits.cid, bytes }, 'it'))).toBe('payload_too_large');
  });

  it('are corrupt when any byte differs', async () => {
    const { cid, bytes } = await encodeBlock({ text: 'sound' }, 'it');
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = bytes.map((byte, index) => (index === at ? byte ^ flip : byte));
        expect(await failure(decodeBlock({ cid, bytes: damaged }, 'it'))).toBe('corrupt');
      }),
    );
  });

  it.each([
    ['not CBOR', Uint8Array.from([0xff])],
    ['more than one value', Uint8Array.from([0x01, 0x01])],
    ['an indefinite length', Uint8Array.from([0x9f, 0xff])],
    ['a key twice', Uint8Array.from([0xa2, 0x61, 0x61, 0x01, 0x61, 0x61, 0x01])],
    ['a length that is not there', Uint8Array.from([0x9b, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff])],
    ['nesting without end', new Uint8Array(500_000).fill(0x81)],
  ])('are corrupt when they hold %s', async (_, bytes) => {
    const cid = CID.createV1(dagCbor.code, await sha256.digest(bytes)).toString() as CidString;
    expect(await failure(decodeBlock({ cid, bytes }, 'it'))).toBe('corrupt');
  });

  it('cannot hold what IPLD cannot', async () => {
    expect(await failure(encodeBlock({ a: undefined }, 'it'))).toBe('invalid_input');
    expect(await failure(encodeBlock(Number.NaN, 'it'))).toBe('invalid_input');
  });
});

describe('addresses', () => {
  it('of other kinds are refused', async () => {
    const digest = await sha256.digest(new Uint8Array(1));
    const ours = CID.createV1(dagCbor.code, digest);
    expect(parseCid(ours.toString()).equals(ours)).toBe(true);
    const others = [
      '',
      'nonsense',
      CID.createV1(raw.code, digest).toString(),
      CID.createV0(digest).toString(),
      ours.toString().toUpperCase(),
    ];
    for (const text of others) expect(() => parseCid(text)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });
});
