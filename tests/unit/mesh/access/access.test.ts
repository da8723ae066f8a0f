import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PeerId } from '../../../../src/lib/ids.ts';
import { IceServers } from '../../../../src/mesh/access/ice-servers.ts';
import { accessSecrets, newAccessKey } from '../../../../src/mesh/access/key.ts';
import {
  decodeAccessAnswer,
  decodeAccessHello,
  decodeAccessProof,
  encodeAccess,
} from '../../../../src/mesh/access/messages.ts';
import { runAccess } from '../../../../src/mesh/access/present.ts';
import { accessProof, isAccessProof, type AccessTranscript } from '../../../../src/mesh/access/proof.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const peers = { client: 'client' as PeerId, relay: 'relay' as PeerId };

function transcript(id: Uint8Array): AccessTranscript {
  return { version: 1, id, ...peers, clientNonce: new Uint8Array(32).fill(1), relayNonce: new Uint8Array(32).fill(2) };
}

describe("the proof of a relay's access key", () => {
  it('holds for who has the key, and can be checked without it', () => {
    const secrets = accessSecrets(newAccessKey());
    const said = transcript(secrets.id);
    expect(isAccessProof(accessProof(secrets, said), secrets.storedKey, said)).toBe(true);
  });

  it.each([
    ['another peer', { client: 'somebody else' as PeerId }],
    ['another relay', { relay: 'another' as PeerId }],
    ['another time: the relay’s nonce', { relayNonce: new Uint8Array(32) }],
    ['another time: the peer’s nonce', { clientNonce: new Uint8Array(32) }],
    ['another key’s id', { id: new Uint8Array(8) }],
    ['another version', { version: 2 }],
  ])('does not hold for %s', (_what, other) => {
    const secrets = accessSecrets(newAccessKey());
    const proof = accessProof(secrets, transcript(secrets.id));
    expect(isAccessProof(proof, secrets.storedKey, { ...transcript(secrets.id), ...other })).toBe(false);
  });

  it('cannot be made of what the relay stores', () => {
    const secrets = accessSecrets(newAccessKey());
    const said = transcript(secrets.id);
    const forged = accessProof({ ...secrets, clientKey: secrets.storedKey }, said);
    expect(isAccessProof(forged, secrets.storedKey, said)).toBe(false);
  });

  it('holds under no other key', () => {
    fc.assert(
      fc.property(bytes(16), bytes(16), (key, other) => {
        fc.pre(Buffer.compare(key, other) !== 0);
        const said = transcript(accessSecrets(key).id);
        expect(isAccessProof(accessProof(accessSecrets(other), said), accessSecrets(key).storedKey, said)).toBe(false);
      }),
      { numRuns: 50 },
    );
  });
});

describe('messages of the access protocol', () => {
  it('reads what it writes', () => {
    const hello = { type: 'hello', minVersion: 1, maxVersion: 1, key: new Uint8Array(8), nonce: new Uint8Array(32) };
    expect(decodeAccessHello(encodeAccess(hello as Parameters<typeof encodeAccess>[0]))).toEqual(hello);
    const welcome = { type: 'welcome', ice: [{ urls: ['stun:a'] }], iceTtlMs: 5 } as const;
    expect(decodeAccessAnswer(encodeAccess(welcome))).toEqual(welcome);
  });

  it('refuses everything else with a typed error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => {
        for (const decode of [decodeAccessHello, decodeAccessProof, decodeAccessAnswer]) {
          expect(() => decode(garbage)).toThrow(expect.objectContaining({ code: 'protocol_error' }) as Error);
        }
      }),
    );
  });

  it.each([
    ['a server that is none', [{ urls: ['https://example.org'] }]],
    ['TURN without credentials, which no browser takes', [{ urls: ['turn:example.org'] }]],
    ['a server without urls', [{ urls: [] }]],
    ['more servers than a browser takes', Array.from({ length: 9 }, () => ({ urls: ['stun:a'] }))],
  ])('takes from a relay no %s', (_what, ice) => {
    const answer = encodeAccess({ type: 'welcome', ice, iceTtlMs: null });
    expect(() => decodeAccessAnswer(answer)).toThrow(expect.objectContaining({ code: 'protocol_error' }) as Error);
  });
});

describe('a peer that presents a key', () => {
  const answering = (...answers: Parameters<typeof encodeAccess>[0][]) => {
    const said: Uint8Array[] = [];
    const channel = {
      write: (message: Uint8Array) => Promise.resolve(void said.push(message)),
      read: () => {
        const next = answers.shift();
        return next === undefined ? Promise.reject(new Error('silence')) : Promise.resolve(encodeAccess(next));
      },
    };
    return { said, channel };
  };
  const welcome = { type: 'welcome', ice: [], iceTtlMs: null } as const;
  const challenge = { type: 'challenge', version: 1, nonce: new Uint8Array(32) } as const;

  it('never says the key', async () => {
    const key = newAccessKey();
    const { said, channel } = answering(challenge, welcome);
    await runAccess(channel, peers, key);
    expect(Buffer.concat(said).toString('hex')).not.toContain(Buffer.from(key).toString('hex'));
    expect(said).toHaveLength(2);
  });

  it('tells a person what to do when there is no key, and when it is no longer good', async () => {
    const refused = { type: 'refused', code: 'unauthorized', reason: 'a key is needed' } as const;
    await expect(runAccess(answering(refused).channel, peers, null)).rejects.toMatchObject({
      code: 'unauthorized',
      message: 'this relay wants its access key: ask for a new invite',
    });
    await expect(runAccess(answering(challenge, refused).channel, peers, newAccessKey())).rejects.toMatchObject({
      message: expect.stringContaining('no longer takes') as string,
    });
  });

  it.each([
    ['a challenge without a key', null, [challenge]],
    ['two challenges', newAccessKey(), [challenge, challenge]],
    ['a version of the future', newAccessKey(), [{ ...challenge, version: 2 }]],
  ] as const)('does not answer %s', async (_what, key, answers) => {
    await expect(runAccess(answering(...answers).channel, peers, key)).rejects.toMatchObject({
      code: 'protocol_error',
    });
  });
});

describe('STUN and TURN servers', () => {
  const turn = { urls: ['turn:t'], username: 'u', credential: 'c' };

  it('are the person’s own, then the relay’s while their credentials hold', () => {
    let now = 0;
    const servers = new IceServers({ stun: ['stun:own'], turn: [] }, () => now);
    servers.granted(peers.relay, { ice: [turn], iceTtlMs: 1_000 });
    expect(servers.list()).toEqual([{ urls: ['stun:own'] }, turn]);
    now = 1_000;
    expect(servers.list()).toEqual([{ urls: ['stun:own'] }]);
    servers.granted(peers.relay, { ice: [turn], iceTtlMs: 1_000 });
    expect(servers.list()).toHaveLength(2);
  });

  it('follow what the person sets, from the next connection on', () => {
    const servers = new IceServers({ stun: [], turn: [turn] }, () => 0);
    expect(servers.list()).toEqual([turn]);
    servers.use({ stun: ['stun:s'], turn: [] });
    expect(servers.list()).toEqual([{ urls: ['stun:s'] }]);
  });

  it('are none by default, so that nothing calls out', () => {
    expect(new IceServers({ stun: [], turn: [] }, () => 0).list()).toEqual([]);
  });

  it('leave out a TURN url without credentials, which would break every dial', () => {
    expect(new IceServers({ stun: ['turn:t', 'stun:s'], turn: [] }, () => 0).list()).toEqual([{ urls: ['stun:s'] }]);
  });
});
