import { beforeEach, describe, expect, it } from 'vitest';
import type { Principal, TokenScope } from '../../../src/contracts/tools.ts';
import { compactBytes, compactInput, compactToken } from '../../../src/lib/compact-token.ts';
import type { DeviceId, PeerId, RoomId } from '../../../src/lib/ids.ts';
import type { DeviceKey } from '../../../src/mesh/identity/device-key.ts';
import type { Proven } from '../../../src/mesh/rpc/member-links.ts';
import {
  digestOf,
  extendChain,
  MAX_CLOCK_SKEW_MS,
  STATEMENT_MS,
  statementsOf,
} from '../../../src/mesh/principals/chain.ts';
import { PrincipalReader } from '../../../src/mesh/principals/reader.ts';
import { PrincipalSigner } from '../../../src/mesh/principals/signer.ts';
import { signStatement, verifyStatement, type Statement } from '../../../src/mesh/principals/statement.ts';
import { deviceOf, SAMPLE_ROOM } from '../../support/access.ts';
import { manualClock, type ManualClock } from '../../support/manual-clock.ts';
import { failure } from '../../support/tools.ts';

const [relay, tab, place, far, mallory] = (await Promise.all([1, 2, 3, 4, 5].map(deviceOf))) as [
  DeviceKey,
  DeviceKey,
  DeviceKey,
  DeviceKey,
  DeviceKey,
];
/** The one peer that each device has in these tests: its id looks like the device's. */
const peerOf = ({ id }: DeviceKey) => id as unknown as PeerId;
const proven = (key: DeviceKey, kind: 'tab' | 'relay' = key === relay ? 'relay' : 'tab'): Proven => ({
  peer: peerOf(key),
  device: key.id,
  kind,
  saysRelay: kind === 'relay',
  protocols: [],
  version: 1,
});
const scope: TokenScope = { classes: ['read', 'compute'], tools: ['search_index'], expiresAt: null };
const token: Principal = { kind: 'token', tokenId: 't1', name: 'Claude', relay: peerOf(relay), scope };

let clock: ManualClock;
beforeEach(() => {
  clock = manualClock(1_800_000_000_000);
});

const signerOf = (key: DeviceKey, vouch: (peer: PeerId) => Promise<string> = () => Promise.reject(new Error('gone'))) =>
  new PrincipalSigner({ room: SAMPLE_ROOM, deviceKey: key, peer: peerOf(key), vouch, clock });
const readerOf = (key: DeviceKey, blocked: readonly DeviceId[] = []) =>
  new PrincipalReader({
    room: SAMPLE_ROOM,
    device: key.id,
    admits: (device) => !blocked.includes(device),
    isRelay: (device) => device === relay.id,
    clock,
  });
const refusal = async (reader: PrincipalReader, chain: string, caller: Proven) => {
  const error = await failure(async () => reader.read(chain, caller));
  return `${error.code} ${String(error.details['reason'])}`;
};

describe('signed principals', () => {
  it('tell the place that a relay calls for which of its tokens it does, and what that is good for', async () => {
    const chain = await signerOf(relay).chainFor(token, place.id);
    const read = await readerOf(place).read(chain, proven(relay));
    expect(read).toEqual({ ...token, issuer: relay.id, proof: chain });
  });

  it('tell which device a token was made for, over every hop', async () => {
    const made: Principal = { ...token, maker: tab.id };
    const chain = await signerOf(relay).chainFor(made, place.id);
    const read = await readerOf(place).read(chain, proven(relay));
    expect(read).toEqual({ ...made, issuer: relay.id, proof: chain });
    const farther = await signerOf(place).chainFor(read, far.id);
    expect(await readerOf(far).read(farther, proven(place))).toMatchObject({ maker: tab.id });
  });

  it('are signed once and verified once for a token and a place, until they are about to expire', async () => {
    const signer = signerOf(relay);
    const first = await signer.chainFor(token, place.id);
    expect(signer.chainFor({ ...token }, place.id)).toBe(first);
    expect(await signer.chainFor(token, far.id)).not.toBe(first);
    const reader = readerOf(place);
    await reader.read(first, proven(relay));
    expect(reader.read(first, proven(relay))).toMatchObject({ tokenId: 't1' });
    await clock.advance(STATEMENT_MS - 60_000);
    const renewed = await signer.chainFor(token, place.id);
    expect(renewed).not.toBe(first);
    expect(await reader.read(renewed, proven(relay))).toMatchObject({ tokenId: 't1' });
  });

  it('are signed anew when what the token is good for has changed', async () => {
    const signer = signerOf(relay);
    const wide = await signer.chainFor(token, place.id);
    const narrow: Principal = { ...token, scope: { ...scope, classes: ['read'] } };
    const chain = await signer.chainFor(narrow, place.id);
    expect(chain).not.toBe(wide);
    expect(await readerOf(place).read(chain, proven(relay))).toMatchObject({ scope: { classes: ['read'] } });
  });

  it('are signed for no token of another relay, also when one of the same name was signed before', async () => {
    const signer = signerOf(relay);
    await signer.chainFor(token, place.id);
    const theirs = await failure(async () => signer.chainFor({ ...token, relay: peerOf(mallory) }, place.id));
    expect(theirs).toMatchObject({ code: 'unauthorized', details: { reason: 'principal_foreign' } });
  });

  it('say what a token without a scope may do', async () => {
    const { scope: _, ...plain } = token;
    const chain = await signerOf(relay).chainFor(plain, place.id);
    expect(await readerOf(place).read(chain, proven(relay))).toMatchObject({
      scope: { classes: ['read', 'compute'], tools: null, expiresAt: null },
    });
  });

  describe('over two hops', () => {
    it('tell the far place who called first and through whom', async () => {
      const here = await readerOf(tab).read(await signerOf(relay).chainFor(token, tab.id), proven(relay));
      const chain = await signerOf(tab).chainFor(here, far.id);
      expect(await readerOf(far).read(chain, proven(tab))).toEqual({
        ...token,
        issuer: relay.id,
        proof: chain,
        via: [{ device: tab.id }],
      });
    });

    it('need the word of a device that called, which only it can give', async () => {
      const caller: Principal = { kind: 'device', device: tab.id, peer: peerOf(tab) };
      const signer = signerOf(place, (peer) =>
        peer === peerOf(tab) ? signerOf(tab).own(place.id) : Promise.reject(new Error('no')),
      );
      const chain = await signer.chainFor(caller, far.id);
      expect(await readerOf(far).read(chain, proven(place))).toEqual({
        ...caller,
        proof: chain,
        via: [{ device: place.id }],
      });
      const silent = await failure(async () => signerOf(place).chainFor(caller, far.id));
      expect(silent).toMatchObject({ code: 'unauthorized', details: { reason: 'principal_unvouched' } });
    });

    it('are not taken over three hops and more than four statements', async () => {
      const keys = [relay, tab, place, far, mallory, relay];
      let principal: Principal = token;
      for (const [i, key] of keys.entries()) {
        const next = keys[i + 1];
        if (next === undefined) break;
        const chain: string = await signerOf(key).chainFor(principal, next.id);
        if (i < 4) principal = await readerOf(next).read(chain, proven(key));
        else expect(await refusal(readerOf(next), chain, proven(key))).toBe('unauthorized principal_malformed');
      }
    });

    it('are the relay device’s own at a place that does not know it as a relay', async () => {
      const strange = { ...token, relay: peerOf(mallory) };
      const here = new PrincipalReader({
        room: SAMPLE_ROOM,
        device: tab.id,
        admits: () => true,
        isRelay: () => true,
        clock,
      });
      const first = await here.read(await signerOf(mallory).chainFor(strange, tab.id), proven(mallory, 'relay'));
      const chain = await signerOf(tab).chainFor(first, far.id);
      expect(await readerOf(far).read(chain, proven(tab))).toMatchObject({ kind: 'device', device: mallory.id });
    });
  });

  it('of a relay that our invite does not name are its own calls', async () => {
    const strange = { ...token, relay: peerOf(mallory) };
    const chain = await signerOf(mallory).chainFor(strange, place.id);
    const caller = { ...proven(mallory, 'tab'), saysRelay: true };
    expect(await readerOf(place).read(chain, caller)).toEqual({
      kind: 'device',
      device: mallory.id,
      peer: peerOf(mallory),
    });
  });
});

describe('principals that are refused', () => {
  const statement = (more: Partial<Statement> = {}): Statement => ({
    room: SAMPLE_ROOM,
    iss: relay.id,
    aud: place.id,
    iat: clock.now(),
    exp: clock.now() + STATEMENT_MS,
    sub: { kind: 'token', id: 't1', name: 'Claude', relay: peerOf(relay), scope },
    ...more,
  });
  /** Signs anything as somebody, whoever it says it is of. */
  const forge = async (
    key: DeviceKey,
    payload: object,
    header: object = { alg: 'EdDSA', typ: 'tabmesh-principal', v: 1 },
  ) => {
    const input = compactInput(header, payload);
    return compactToken(input, await key.privateKey.sign(compactBytes(input)));
  };
  const good = () => signStatement(relay, statement());

  it('one that is good is not', async () => {
    expect(await readerOf(place).read(await good(), proven(relay))).toMatchObject({ tokenId: 't1' });
  });

  it('forged: signed by another key', async () => {
    const chain = await forge(mallory, statement());
    expect(await refusal(readerOf(place), chain, proven(relay))).toBe('unauthorized principal_forged');
    expect(await refusal(readerOf(place), chain, proven(mallory, 'relay'))).toBe('unauthorized principal_forged');
  });

  it('widened: its scope was changed on the way', async () => {
    const [header, , signature] = (await good()).split('.');
    const wide = statement({
      sub: { kind: 'token', id: 't1', name: 'Claude', relay: peerOf(relay), scope: { ...scope, classes: ['admin'] } },
    });
    const payload = Buffer.from(JSON.stringify(wide)).toString('base64url');
    expect(await refusal(readerOf(place), `${header}.${payload}.${signature}`, proven(relay))).toBe(
      'unauthorized principal_forged',
    );
  });

  it('expired, or of a time to come', async () => {
    const chain = await good();
    const reader = readerOf(place);
    await clock.advance(STATEMENT_MS + MAX_CLOCK_SKEW_MS);
    expect(await reader.read(chain, proven(relay))).toMatchObject({ tokenId: 't1' });
    await clock.advance(1);
    // known by now, and looked at all the same
    expect(await refusal(reader, chain, proven(relay))).toBe('unauthorized principal_expired');
    expect(await refusal(readerOf(place), chain, proven(relay))).toBe('unauthorized principal_expired');
    const early = clock.now() + MAX_CLOCK_SKEW_MS + 1;
    const next = await signStatement(relay, statement({ iat: early, exp: early + 1000 }));
    expect(await refusal(readerOf(place), next, proven(relay))).toBe('unauthorized principal_expired');
  });

  it('good for longer than any is', async () => {
    const chain = await signStatement(relay, statement({ exp: clock.now() + STATEMENT_MS + 1 }));
    expect(await refusal(readerOf(place), chain, proven(relay))).toBe('unauthorized principal_malformed');
  });

  it('of another relay, or said by somebody who is none', async () => {
    const chain = await good();
    const reader = readerOf(place);
    await reader.read(chain, proven(relay));
    // who got hold of it presents it as it is
    expect(await refusal(reader, chain, proven(mallory, 'relay'))).toBe('forbidden principal_foreign');
    // or signs the words of the other relay, or names its token
    const theirs = await signStatement(mallory, statement({ iss: mallory.id }));
    expect(await refusal(reader, theirs, proven(mallory, 'relay'))).toBe('forbidden principal_foreign');
    // a tab has no tokens
    const own = { kind: 'token', id: 'owner', name: 'owner', relay: peerOf(mallory), scope } as const;
    const tabs = await signStatement(mallory, statement({ iss: mallory.id, sub: own }));
    expect(await refusal(reader, tabs, proven(mallory, 'tab'))).toBe('forbidden principal_foreign');
  });

  it('replayed: given to one place and presented at another', async () => {
    const chain = await good();
    expect(await refusal(readerOf(far), chain, proven(relay))).toBe('unauthorized principal_misdirected');
    // the place that it was for presents it instead of signing that it calls on
    expect(await refusal(readerOf(far), chain, proven(place))).toBe('unauthorized principal_misdirected');
    // or has somebody else call on
    const link = await signStatement(mallory, {
      room: SAMPLE_ROOM,
      iss: mallory.id,
      aud: far.id,
      iat: clock.now(),
      exp: clock.now() + 1,
      prf: digestOf(chain),
    });
    expect(await refusal(readerOf(far), extendChain(chain, link), proven(mallory))).toBe(
      'unauthorized principal_misdirected',
    );
  });

  it('replayed: a link put behind another root', async () => {
    const [first, other] = await Promise.all([good(), signStatement(relay, statement({ iat: clock.now() - 1 }))]);
    const honest = await signStatement(place, {
      room: SAMPLE_ROOM,
      iss: place.id,
      aud: far.id,
      iat: clock.now(),
      exp: clock.now() + 1,
      prf: digestOf(first),
    });
    expect(await readerOf(far).read(extendChain(first, honest), proven(place))).toMatchObject({
      via: [{ device: place.id }],
    });
    expect(await refusal(readerOf(far), extendChain(other, honest), proven(place))).toBe(
      'unauthorized principal_misdirected',
    );
    expect(await refusal(readerOf(far), honest, proven(place))).toBe('unauthorized principal_malformed');
  });

  it('of another room', async () => {
    const chain = await signStatement(relay, statement({ room: 'bbbbbbbbbbbbbbbbbbbbbbbbbb' as RoomId }));
    expect(await refusal(readerOf(place), chain, proven(relay))).toBe('unauthorized principal_misdirected');
  });

  it('signed by a device that was put out, also when it was good before', async () => {
    const chain = await good();
    const blocked: DeviceId[] = [];
    const reader = new PrincipalReader({
      room: SAMPLE_ROOM,
      device: place.id,
      admits: (device) => !blocked.includes(device),
      isRelay: () => true,
      clock,
    });
    await reader.read(chain, proven(relay));
    blocked.push(relay.id);
    expect(await refusal(reader, chain, proven(relay))).toBe('unauthorized principal_foreign');
  });

  it.each<[string, () => Promise<string> | string]>([
    ['nothing', () => ''],
    ['text', () => 'a.b.c'],
    ['too much', () => 'a'.repeat(70_000)],
    ['an unknown kind of signature', () => forge(relay, statement(), { alg: 'none', typ: 'tabmesh-principal', v: 1 })],
    ['another kind of statement', () => forge(relay, statement(), { alg: 'EdDSA', typ: 'UCAN', v: 1 })],
    ['a later version', () => forge(relay, statement(), { alg: 'EdDSA', typ: 'tabmesh-principal', v: 2 })],
    ['a field too many', () => forge(relay, { ...statement(), admin: true })],
    [
      'a class that does not exist',
      () =>
        forge(relay, {
          ...statement(),
          sub: { kind: 'token', id: 't', name: 't', relay: peerOf(relay), scope: { ...scope, classes: ['root'] } },
        }),
    ],
    [
      'a token made for what is no device',
      () =>
        forge(relay, {
          ...statement(),
          sub: { kind: 'token', id: 't', name: 't', relay: peerOf(relay), scope, maker: 'owner' },
        }),
    ],
    [
      'a token without scope',
      () => forge(relay, { ...statement(), sub: { kind: 'token', id: 't', name: 't', relay: peerOf(relay) } }),
    ],
    ['both a subject and a proof', () => forge(relay, { ...statement(), prf: 'x' })],
  ])('malformed: %s', async (_what, make) => {
    expect(await refusal(readerOf(place), await make(), proven(relay))).toBe('unauthorized principal_malformed');
  });

  it('leaves no trace of those it has refused, and keeps a bounded number of the others', async () => {
    const reader = readerOf(place);
    const first = await good();
    await reader.read(first, proven(relay));
    for (let i = 0; i < 260; i++) {
      const sub = { kind: 'token', id: `t${String(i)}`, name: 't', relay: peerOf(relay), scope } as const;
      await reader.read(await signStatement(relay, statement({ sub })), proven(relay));
    }
    // forgotten, so it is verified again; nobody notices
    expect(reader.read(first, proven(relay))).toBeInstanceOf(Promise);
  });

  it('statements of a chain are told apart however it is cut', async () => {
    const chain = extendChain(await good(), await good());
    expect(statementsOf(chain)).toHaveLength(2);
    await expect(verifyStatement(chain)).rejects.toMatchObject({ details: { reason: 'principal_malformed' } });
  });
});
