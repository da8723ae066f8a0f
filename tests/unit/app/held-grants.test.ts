import { describe, expect, it, vi } from 'vitest';
import { callWithGrants } from '../../../src/peer/tab/granted-call.ts';
import type { CallRequest, CallResult } from '../../../src/contracts/tools.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { DeviceId, PeerId } from '../../../src/lib/ids.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { deviceOf, openGrants, openHeldGrants, SAMPLE_ROOM } from '../../support/access.ts';
import { manualClock } from '../../support/manual-clock.ts';

const HOUR_MS = 3600_000;

describe('grants that a device was given', () => {
  const start = async () => {
    const [giver, holder, other] = await Promise.all([deviceOf(1), deviceOf(2), deviceOf(3)]);
    const clock = manualClock(1_700_000_000_000);
    const store = createMemoryStore();
    const held = openHeldGrants(holder, { store, clock });
    const give = async (audience: DeviceId, args: Record<string, unknown> | null = null) => {
      const request = {
        audience,
        tools: ['delete_dataset'],
        lifetimeMs: HOUR_MS,
        calls: 1,
        maxDepth: 0,
        parents: null,
      };
      return (await openGrants(giver, { clock }).issue({ ...request, args })).tokens.join('\n');
    };
    const call = { resource: `tabmesh/${SAMPLE_ROOM}/${giver.id}`, tool: 'delete_dataset', args: { data: 'x' } };
    return { giver, holder, other, clock, store, held, give, call };
  };

  it('are shown with the calls that they are about, and with no other', async () => {
    const { holder, other, held, give, call } = await start();
    const text = await give(holder.id, { data: 'x' });
    expect(await held.chainFor(call)).toBeNull();
    const { cid } = await held.add(`  ${text}\n`);
    expect(await held.chainFor(call)).toEqual([text]);
    expect(await held.chainFor({ ...call, args: { data: 'y' } })).toBeNull();
    expect(await held.chainFor({ ...call, tool: 'rename' })).toBeNull();
    expect(await held.chainFor({ ...call, resource: `tabmesh/${SAMPLE_ROOM}/${other.id}` })).toBeNull();
    await held.remove(cid);
    expect(await held.list()).toEqual([]);
  });

  it('are not taken when they are for somebody else, have ended, or are none', async () => {
    const { holder, other, clock, held, give } = await start();
    await expect(held.add(await give(other.id))).rejects.toThrow(/somebody else/);
    const text = await give(holder.id);
    for (const broken of ['', 'hello', `${text} hello`, text.slice(0, 40)]) {
      await expect(held.add(broken)).rejects.toMatchObject({ code: 'invalid_input' });
    }
    await clock.advance(2 * HOUR_MS);
    await expect(held.add(text)).rejects.toThrow(/time .* over/);
  });

  it('are forgotten when their time is over', async () => {
    const { holder, clock, store, held, give } = await start();
    await held.add(await give(holder.id));
    expect(await held.list()).toHaveLength(1);
    await clock.advance(2 * HOUR_MS);
    expect(await held.list()).toEqual([]);
    expect(await store.keys('access/held/')).toEqual([]);
  });

  describe('in a call', () => {
    const [self, there] = ['self' as PeerId, 'there' as PeerId];
    const request: CallRequest = {
      tool: 'delete_dataset',
      args: {},
      principal: { kind: 'device', device: 'me' as DeviceId, peer: self },
      place: there,
    };
    const good: CallResult = { ok: true, value: 1, route: null as never, tookMs: 1 };
    const refused: CallResult = {
      ok: false,
      error: new TabmeshError('forbidden', 'used up', { details: { verdict: 'replayed' } }).toWire(),
      route: null,
      tookMs: 1,
    };
    const peerThat = (...answers: CallResult[]) => {
      const call = vi.fn<(request: CallRequest) => Promise<CallResult>>();
      for (const answer of answers) call.mockResolvedValueOnce(answer);
      const peers = [
        { peer: self, device: 'me', link: 'self' },
        { peer: there, device: 'them', link: 'direct' },
      ];
      const grantFor = vi.fn(() => Promise.resolve(['token']));
      const peer = { tools: { call }, mesh: { peers: () => peers }, access: { grantFor } };
      return { call, grantFor, peer: peer as unknown as Parameters<typeof callWithGrants>[0] };
    };

    it('show themselves at the place that is named', async () => {
      const { peer, call, grantFor } = peerThat(good);
      expect(await callWithGrants(peer, request, {})).toBe(good);
      expect(grantFor).toHaveBeenCalledWith('them', 'delete_dataset', {});
      expect(call.mock.calls.map(([each]) => each.credentials)).toEqual([{ grants: ['token'] }]);
    });

    it('are left out where no other place is named', async () => {
      for (const place of [undefined, self]) {
        const { peer, call, grantFor } = peerThat(good);
        const { place: _, ...rest } = request;
        await callWithGrants(peer, place === undefined ? rest : { ...rest, place }, {});
        expect(grantFor).not.toHaveBeenCalled();
        expect(call.mock.calls.map(([each]) => each.credentials)).toEqual([undefined]);
      }
    });

    it('are as none when they are refused', async () => {
      const { peer, call } = peerThat(refused, good);
      expect(await callWithGrants(peer, request, {})).toBe(good);
      expect(call.mock.calls.map(([each]) => each.credentials)).toEqual([{ grants: ['token'] }, undefined]);
    });

    it('do not make a call run twice that failed otherwise', async () => {
      const failed: CallResult = { ...refused, error: new TabmeshError('forbidden', 'no').toWire() };
      const { peer, call } = peerThat(failed);
      expect(await callWithGrants(peer, request, {})).toBe(failed);
      expect(call).toHaveBeenCalledTimes(1);
    });
  });
});
