import { afterEach, describe, expect, it } from 'vitest';
import type { DoctorCheck } from '../../../src/contracts/doctor.ts';
import { hastyClock } from '../../support/hasty-clock.ts';
import { Cleanups } from '../../support/live-peers.ts';
import { startLiveRelay, type LiveRelay } from '../../support/live-relay.ts';
import { startTabPeer, type TabPeer } from '../../support/tab-peers.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

const MET_MS = 30_000;
/** How much sooner than in earnest relays are asked whether they are there, and dialled again. Time limits are as they are. */
const FASTER = 10;
/** In earnest a relay is asked every 10 s; it has twice 5 s to answer. */
const NOTICED_MS = 20_000;
/** A try takes up to 10 s; in earnest, up to 15 s are between two. */
const BACK_MS = 30_000;

const cleanups = new Cleanups();
afterEach(() => cleanups.run());

/** A relay that is reached through a proxy alone, and a peer there. */
async function startBehindProxy(): Promise<{ relay: LiveRelay; proxy: TcpProxy; tab: TabPeer }> {
  const proxy = await startTcpProxy();
  cleanups.add(() => proxy.close());
  const shown = `http://127.0.0.1:${String(proxy.port)}`;
  const relay = await startLiveRelay(['--demo', '--public-url', shown]);
  cleanups.add(() => relay.close());
  const own = relay.relay.urls.origins.find((origin) => origin.startsWith('http://127.0.0.1:') && origin !== shown);
  proxy.lead(Number(new URL(own ?? '').port));
  const tab = await startTabPeer(relay.invite, cleanups, { clock: hastyClock(FASTER) });
  await expect.poll(() => tab.links(), { timeout: MET_MS }).toEqual({ [relay.gateway.self]: 'direct' });
  return { relay, proxy, tab };
}

async function examine(tab: TabPeer): Promise<Readonly<Record<string, DoctorCheck>>> {
  const { checks } = await tab.room.doctor.examine({ signal: AbortSignal.timeout(30_000) });
  return Object.fromEntries(checks.map((check) => [check.id, check]));
}

describe('a network that is taken away and given back', { timeout: 180_000 }, () => {
  it.each([
    ['at the same address', false],
    ['at another address, where nothing of before arrives any more', true],
  ])('%s: the peer is back by itself, and the doctor names the trouble meanwhile', async (_how, moved) => {
    const { relay, proxy, tab } = await startBehindProxy();
    const well = await examine(tab);
    for (const id of ['relay_http', 'relay_socket', 'relay_reservation', 'members']) {
      expect(well[id], id).toMatchObject({ status: 'ok' });
    }

    proxy.takeAway();
    // at once, while libp2p still holds its connection for open
    const trouble = await examine(tab);
    for (const id of ['relay_http', 'relay_socket']) {
      expect(trouble[id], id).toMatchObject({ status: 'failed' });
      expect(trouble[id]?.reason).toContain(`127.0.0.1:${String(proxy.port)} does not answer`);
      expect(trouble[id]?.advice).toContain('another network, VPN or firewall may be in the way');
    }
    await expect.poll(() => tab.links(), { timeout: NOTICED_MS }).toEqual({});
    await expect.poll(() => tab.room.mesh.connection().state, { timeout: NOTICED_MS }).toBe('offline');
    expect((await examine(tab))['members']).toMatchObject({ status: 'failed' });

    proxy.giveBack({ moved });
    await expect.poll(() => tab.links(), { timeout: BACK_MS }).toEqual({ [relay.gateway.self]: 'direct' });
    expect(await tab.echo(relay.gateway.self, 'back')).toMatchObject({ text: 'back' });
    const again = await examine(tab);
    for (const id of ['relay_http', 'relay_socket', 'relay_reservation', 'members']) {
      expect(again[id], id).toMatchObject({ status: 'ok' });
    }
  });
});
