import { describe, expect, it } from 'vitest';
import { newGrantDraft, OTHER, readGrantDraft } from '../../../src/app/access/grants/grant-form.ts';
import { claimsSentence, grantState, usesText } from '../../../src/app/access/grants/grant-words.ts';
import { deviceCandidates, deviceOf, subjectName, tokenSubject } from '../../../src/app/access/grants/subjects.ts';
import type { GrantRequest } from '../../../src/contracts/grants.ts';
import type { RoomMember } from '../../../src/contracts/mesh.ts';
import type { DeviceId } from '../../../src/lib/ids.ts';
import { didOf } from '../../../src/mesh/principals/did.ts';
import { subjectOf } from '../../../src/peer/room/grant-ledger.ts';
import { deviceOf as keyOf, openGrants } from '../../support/access.ts';

const member = (device: DeviceId, more: Partial<RoomMember> = {}): RoomMember => ({
  device,
  name: 'Amber Heron',
  kind: 'tab',
  self: false,
  online: true,
  role: 'member',
  forked: false,
  ...more,
});

describe('whom a grant is for', () => {
  it('finds the device of any did that this app makes', async () => {
    for (let seed = 0; seed < 32; seed++) {
      const { id } = await keyOf(seed);
      expect(deviceOf(didOf(id) ?? '')).toBe(id);
    }
    expect(deviceOf('urn:tabmesh:token:a:b')).toBeNull();
    expect(deviceOf('did:key:zNothing')).toBeNull();
  });

  it('names a token as the place that checks the grant does', async () => {
    const { id } = await keyOf(1);
    expect(tokenSubject({ device: id }, { id: 'tok' })).toBe(
      subjectOf({ kind: 'token', tokenId: 'tok', name: 'n', relay: id as never, issuer: id }),
    );
  });

  it('offers the others of the room, and shows what hides in a name', async () => {
    const [a, b, c] = [(await keyOf(1)).id, (await keyOf(2)).id, (await keyOf(3)).id];
    const members = [
      member(a, { self: true }),
      member(b, { name: 'Heron\u202e', online: false }),
      member(c, { role: 'blocked' }),
    ];
    expect(deviceCandidates(members)).toEqual([{ value: b, label: 'Heron⟨U+202E⟩ (away)' }]);
    expect(subjectName(didOf(b) ?? '', members, [])).toBe('Heron⟨U+202E⟩');
    expect(subjectName(didOf(a) ?? '', members, [])).toBe('this device');
    expect(subjectName('urn:tabmesh:token:x:y', members, [{ value: 'urn:tabmesh:token:x:y', label: 'Claude' }])).toBe(
      'Claude',
    );
    expect(subjectName('urn:tabmesh:token:x:abc', members, [])).toBe('a token (abc)');
  });
});

describe('the form of a new grant', () => {
  const filled = { ...newGrantDraft(), audience: 'device', tools: ['delete_dataset'] };

  it('begins with one call within a day, not to be passed on', () => {
    expect(readGrantDraft(filled)).toEqual({
      request: {
        audience: 'device',
        tools: ['delete_dataset'],
        lifetimeMs: 24 * 3600_000,
        calls: 1,
        args: null,
        maxDepth: 0,
        parents: null,
      },
    });
  });

  it('names every field that is wrong', () => {
    expect(readGrantDraft({ ...newGrantDraft(), audience: OTHER, other: 'somebody', calls: '0', args: '[1]' })).toEqual(
      {
        wrong: {
          other: expect.stringContaining('did:key') as string,
          tools: expect.stringContaining('at least one') as string,
          calls: expect.stringContaining('whole number') as string,
          args: expect.stringContaining('JSON object') as string,
        },
      },
    );
    expect(readGrantDraft(newGrantDraft())).toMatchObject({ wrong: { audience: 'Choose who may use it.' } });
    expect(readGrantDraft({ ...filled, args: '{"a":' })).toMatchObject({
      wrong: { args: expect.any(String) as string },
    });
  });
});

describe('a grant in words', () => {
  const issued = async (request: Partial<GrantRequest>) => {
    const [own, other] = [await keyOf(1), await keyOf(2)];
    const grants = openGrants(own);
    const read = readGrantDraft({ ...newGrantDraft(), audience: other.id, tools: ['rename', 'delete_dataset'] });
    if (!('request' in read)) throw new Error('the form is filled in');
    const { cid, claims } = await grants.issue({ ...read.request, ...request });
    return { grants, cid, claims };
  };

  it('says who may call what, how often, until when, and what else', async () => {
    const { claims } = await issued({ args: { data: 'x' }, calls: 3, maxDepth: 1 });
    expect(claimsSentence(claims, 'Amber Heron', 'this device')).toMatch(
      /^Amber Heron may call rename and delete_dataset on this device with the arguments \{"data":"x"\}, 3 times in all, until .+, without a question asked\. It may pass this on\.$/,
    );
    const { claims: plain } = await issued({ calls: null });
    expect(claimsSentence(plain, 'it', 'this device')).toMatch(
      /^It may call rename and delete_dataset on this device, as often as it likes, .* It may not pass this on\.$/,
    );
  });

  it('says how it stands', async () => {
    const { grants, cid } = await issued({ calls: 1 });
    const [valid] = await grants.list();
    if (valid === undefined) throw new Error('it was issued');
    expect([grantState(valid).label, usesText(valid)]).toEqual(['Valid', '0 of 1 call used']);
    expect(grantState({ ...valid, used: 1 }).label).toBe('Used up');
    expect(grantState({ ...valid, state: 'expired' }).label).toBe('Expired');
    await grants.revoke(cid, { reason: null, chain: null });
    expect((await grants.list()).map((grant) => grantState(grant).label)).toEqual(['Revoked']);
  });
});
