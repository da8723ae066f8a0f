import { describe, expect, it } from 'vitest';
import { becomeOwner } from '../../../src/app/mesh/members/become-owner.ts';
import { makerOf, mayAppoint, mayBlock, mayUnblock } from '../../../src/app/mesh/members/member-rules.ts';
import { questionOf } from '../../../src/app/mesh/members/questions.ts';
import { leavingText } from '../../../src/app/mesh/rooms/leaving.ts';
import type { RoomMember, RoomMemberList } from '../../../src/contracts/mesh.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { DeviceId } from '../../../src/lib/ids.ts';
import { fakeDatasets, fakePeers } from '../../support/fake-data.ts';

const member = (role: RoomMember['role'], self = false): RoomMember => ({
  device: `${role}d` as DeviceId,
  name: `A ${role}`,
  kind: 'tab',
  self,
  online: true,
  role,
  forked: false,
});
const list = (who: 'maker' | 'owner' | 'member'): RoomMemberList => ({
  epoch: 1,
  members: (['maker', 'owner', 'member', 'blocked'] as const).map((role) => member(role, role === who)),
  canManage: who !== 'member',
  isMaker: who === 'maker',
});
const allowed = (who: 'maker' | 'owner' | 'member', may: typeof mayBlock) =>
  list(who)
    .members.filter((one) => may(list(who), one))
    .map(({ role }) => role);

describe('what an owner may do', () => {
  it('is to block members, and for the maker also owners, never oneself', () => {
    expect(allowed('maker', mayBlock)).toEqual(['owner', 'member']);
    expect(allowed('owner', mayBlock)).toEqual(['member']);
    expect(allowed('member', mayBlock)).toEqual([]);
  });

  it('is to unblock, and for the maker to appoint', () => {
    expect(allowed('owner', mayUnblock)).toEqual(['blocked']);
    expect(allowed('member', mayUnblock)).toEqual([]);
    expect(allowed('maker', mayAppoint)).toEqual(['member']);
    expect(allowed('owner', mayAppoint)).toEqual([]);
  });

  it('is asked of the maker otherwise', () => {
    expect(makerOf(list('member'))?.role).toBe('maker');
    expect(makerOf({ ...list('member'), members: [member('member')] })).toBeUndefined();
  });
});

describe('what is said before', () => {
  it('a device is blocked: links, secret, invites, and what stays', () => {
    const { points, danger } = questionOf({ what: 'block', member: member('member') });
    expect(danger).toBe(true);
    for (const said of [/links are cut/, /new secret/, /Invites of before/, /fetched stays/]) {
      expect(points.join(' ')).toMatch(said);
    }
  });

  it('a room is left: what is lost for good', () => {
    const self = fakePeers(1, false, []);
    const text = leavingText(fakeDatasets(2, false, self, true), true).join(' ');
    expect(text).toMatch(/held by nobody else and will be lost/);
    expect(text).toMatch(/made the room/);
    expect(leavingText([], false).join(' ')).not.toMatch(/lost|made the room/);
    expect(leavingText(null, false).join(' ')).toMatch(/nobody else holds is lost/);
  });
});

describe('becoming an owner', () => {
  const device = 'device1' as DeviceId;
  const answering = (status: number, body: string) => () => Promise.resolve(new Response(body, { status }));

  it('asks the relay for this device with the token, in the header alone', async () => {
    const asked: { url: string; init: RequestInit }[] = [];
    await becomeOwner('secret-token', device, (url, init) => {
      asked.push({ url, init });
      return Promise.resolve(new Response('{}'));
    });
    expect(asked).toHaveLength(1);
    expect(asked[0]?.url).toBe('/api/tools/appoint_owner');
    expect(asked[0]?.init).toMatchObject({
      method: 'POST',
      body: JSON.stringify({ device }),
      headers: { authorization: 'Bearer secret-token' },
    });
  });

  it("passes on the relay's reason", async () => {
    const wire = new TabmeshError('forbidden', 'this token may not do that', { hint: 'Look again.' }).toWire();
    await expect(becomeOwner('x', device, answering(403, JSON.stringify({ error: wire })))).rejects.toMatchObject({
      code: 'forbidden',
      hint: 'Look again.',
    });
  });

  it('says of a wrong token what to do, and sends none that cannot be one', async () => {
    await expect(becomeOwner('wrong', device, answering(401, '{}'))).rejects.toMatchObject({
      code: 'unauthorized',
      hint: expect.stringMatching(/whole token/) as string,
    });
    const never = () => Promise.reject(new Error('asked all the same'));
    for (const token of ['', 'two words', 'täken\n']) {
      await expect(becomeOwner(token, device, never)).rejects.toMatchObject({ code: 'unauthorized' });
    }
  });

  it('tells of a relay that is away, and of something that is no relay', async () => {
    await expect(becomeOwner('x', device, () => Promise.reject(new TypeError('fetch failed')))).rejects.toMatchObject({
      code: 'peer_unreachable',
      retryable: true,
    });
    await expect(becomeOwner('x', device, answering(502, '<html>'))).rejects.toMatchObject({
      code: 'peer_unreachable',
      message: expect.stringContaining('502') as string,
    });
  });
});
