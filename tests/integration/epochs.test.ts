import { multiaddr } from '@multiformats/multiaddr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RoomMemberList } from '../../src/contracts/mesh.ts';
import type { DeviceId } from '../../src/lib/ids.ts';
import type { HeadlessRoom } from '../../src/peer/node/start-room.ts';
import { parseInvite } from '../../src/mesh/identity/invite.ts';
import { closed } from '../support/hostile-node.ts';
import { Cleanups, memberHome, startMember } from '../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../support/live-relay.ts';

const cleanups = new Cleanups();
let live: LiveRelay;

beforeAll(async () => {
  live = await startLiveRelay();
  cleanups.add(() => live.close());
}, 60_000);
afterAll(() => cleanups.run());

/** at the relay, which made the room, with its owner's token */
async function owner(tool: string, args: object = {}): Promise<Omit<RoomMemberList, 'canManage'>> {
  const answer = await live.gateway.tools.call({ tool, args, principal: live.owner });
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.value as RoomMemberList;
}

const linked = (peer: HeadlessRoom) => peer.room.mesh.peers().filter(({ link }) => link === 'direct');
const isLinked = async (peer: HeadlessRoom) => {
  await expect.poll(() => linked(peer).map((each) => each.peer), { timeout: 20_000 }).toEqual([live.gateway.self]);
};
const echo = (peer: HeadlessRoom) =>
  peer.room.mesh.call(
    live.gateway.self,
    'echo',
    { text: 'hello' },
    { kind: 'device', device: peer.room.replica.device, peer: peer.peer },
    { timeoutMs: 5_000 },
  );
/** the owner lists devices that it has read something of */
const isKnown = async (device: DeviceId) => {
  const members = async () => (await owner('list_members')).members.map((member) => member.device);
  await expect.poll(members, { timeout: 20_000 }).toContain(device);
};

describe('a room whose secret changes', () => {
  it('goes on without a break for members that are here, and old invites are void', async () => {
    const member = await startMember(live, cleanups);
    await isLinked(member);
    await isKnown(member.room.replica.device);
    const before = member.room.secret();
    const { epoch } = await owner('change_room_secret');
    await expect.poll(() => member.room.secret().epoch).toBe(epoch);
    expect(member.room.secret().secret).not.toEqual(before.secret);
    await expect(echo(member)).resolves.toMatchObject({ text: 'hello' });

    // somebody who only has the old link
    const late = await startMember(live, cleanups, { invite: { ...live.invite, ...before } });
    const { libp2p } = late.room.node;
    const connection = await libp2p.dial(multiaddr(live.roomPeer));
    await expect(libp2p.services.membership.proven(connection)).rejects.toMatchObject({
      code: 'not_a_member',
      message: expect.stringContaining('not on its list of members') as string,
    });
    await closed(connection);
    expect(late.room.secret().epoch).toBe(before.epoch);
    await expect(echo(late)).rejects.toMatchObject({ code: 'peer_unreachable' });

    // the new link lets in who was never here
    const invited = await startMember(live, cleanups, { invite: { ...live.invite, ...member.room.secret() } });
    await isLinked(invited);
    await expect(echo(invited)).resolves.toMatchObject({ text: 'hello' });
  }, 60_000);

  it('lets a member back in that was away during two changes', async () => {
    const home = await memberHome(live, cleanups);
    const secret = (await owner('list_members')).epoch;
    home.invite = { ...live.invite, ...presentSecret() };
    const member = await startMember(live, cleanups, { home });
    await isLinked(member);
    await isKnown(home.deviceKey.id);
    await member.close();
    await owner('change_room_secret');
    const { epoch } = await owner('change_room_secret');
    expect(epoch).toBe(secret + 2);
    expect(home.invite.epoch).toBe(secret);

    const back = await startMember(live, cleanups, { home });
    await isLinked(back);
    expect(back.room.secret().epoch).toBe(epoch);
    expect(home.invite.epoch).toBe(epoch);
    await expect(echo(back)).resolves.toMatchObject({ text: 'hello' });
  }, 60_000);

  it('puts a blocked device out at once, keeps it out, and takes it back when it is unblocked', async () => {
    const home = await memberHome(live, cleanups);
    home.invite = { ...live.invite, ...presentSecret() };
    const [bad, good] = await Promise.all([
      startMember(live, cleanups, { home }),
      startMember(live, cleanups, { invite: home.invite }),
    ]);
    await Promise.all([isLinked(bad), isLinked(good)]);
    await Promise.all([isKnown(home.deviceKey.id), isKnown(good.room.replica.device)]);
    const list = await owner('block_device', { device: home.deviceKey.id });
    expect(list.members.find(({ device }) => device === home.deviceKey.id)?.role).toBe('blocked');
    await expect.poll(() => linked(bad)).toEqual([]);
    await expect.poll(() => good.room.secret().epoch).toBe(list.epoch);
    await expect(echo(good)).resolves.toMatchObject({ text: 'hello' });

    const connection = await bad.room.node.libp2p.dial(multiaddr(live.roomPeer));
    await expect(bad.room.node.libp2p.services.membership.proven(connection)).rejects.toMatchObject({
      code: 'not_a_member',
    });
    await closed(connection);
    expect(bad.room.secret().epoch).toBeLessThan(list.epoch);
    await bad.close();

    // even with the secret, which a friend may pass on
    const leaked = await startMember(live, cleanups, {
      home: { ...home, invite: { ...live.invite, ...good.room.secret() } },
    });
    const again = await leaked.room.node.libp2p.dial(multiaddr(live.roomPeer));
    // its own side has seen a right proof; the other has seen whose it is
    await closed(again);
    await expect(echo(leaked)).rejects.toMatchObject({ code: 'peer_unreachable' });
    // and is told so, instead of finding a link and losing it again and again
    await expect
      .poll(() => leaked.room.mesh.connection(), { timeout: 10_000 })
      .toEqual({ state: 'refused', message: 'an owner has put this device out of the room' });
    await leaked.close();

    await owner('unblock_device', { device: home.deviceKey.id });
    const back = await startMember(live, cleanups, { home });
    await isLinked(back);
    await expect(echo(back)).resolves.toMatchObject({ text: 'hello' });
  }, 60_000);

  it('is changed by its owners only, and by an appointed one', async () => {
    const home = await memberHome(live, cleanups);
    home.invite = { ...live.invite, ...presentSecret() };
    const member = await startMember(live, cleanups, { home });
    await isLinked(member);
    await isKnown(home.deviceKey.id);
    await expect(member.room.members.rotate()).rejects.toMatchObject({ code: 'forbidden' });
    await expect(member.room.members.appoint(home.deviceKey.id)).rejects.toMatchObject({ code: 'forbidden' });
    // invited since the list was signed, and known to the other member only by its proof
    const newcomer = await startMember(live, cleanups, { invite: home.invite });
    await isLinked(newcomer);
    const { epoch } = await owner('appoint_owner', { device: home.deviceKey.id });
    await expect(echo(newcomer)).resolves.toMatchObject({ text: 'hello' });
    await expect.poll(() => member.room.members.list().canManage).toBe(true);
    expect(member.room.secret().epoch).toBe(epoch);
    await member.room.members.rotate();
    await expect.poll(async () => (await owner('list_members')).epoch).toBe(epoch + 1);
    await expect(echo(member)).resolves.toMatchObject({ text: 'hello' });
  }, 60_000);

  it('takes administration from its owner alone: not from members, not from other tokens', async () => {
    const device = (await owner('list_members')).members[0]?.device ?? '';
    const other = await live.gateway.tools.call({
      tool: 'block_device',
      args: { device },
      principal: { ...live.owner, tokenId: 'somebody' } as never,
    });
    expect(other).toMatchObject({ ok: false, error: { code: 'forbidden' } });
  });
});

/** as a new invite of the relay carries it */
function presentSecret() {
  const link = live.relay.peers.invite;
  if (link === null) throw new Error('a relay without a room');
  const { room, epoch, secret } = parseInvite(link);
  return { room, epoch, secret };
}
