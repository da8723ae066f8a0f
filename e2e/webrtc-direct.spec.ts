import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { encodeInvite, parseInvite } from '../src/mesh/identity/invite.ts';
import { joinByInvite, type Shell } from './support/pages.ts';
import { expect, test } from './support/test.ts';

// it serves the page, and introduces nobody: the room's relay is another one
test.use({ relayArgs: ['--demo', '--no-room'] });

test(
  'tabs meet and call each other through a relay that they reach by WebRTC-Direct alone',
  { tag: '@long' },
  async ({ relay, anotherRelay, device }) => {
    test.setTimeout(90_000);
    const direct = await anotherRelay(['--demo', '--webrtc-direct', String(await freeUdpPort())]);
    const invite = parseInvite(direct.line.invite ?? '');
    // as for a relay without TLS that a page of the internet may open no WebSocket to
    const ways = invite.relays.filter((address) => address.includes('/webrtc-direct/'));
    expect(ways).toHaveLength(1);
    const link = new URL(`/${encodeInvite({ ...invite, relays: ways })}`, relay.line.app).href;
    const shells: Shell[] = [];
    for (const name of ['A', 'B']) shells.push(await joinByInvite((await device(name)).page, link));
    const [here, there] = shells;
    if (here === undefined || there === undefined) throw new Error('no tabs');

    const mesh = await here.mesh();
    const { name } = await mesh.self();
    const met = async () => (await mesh.peers()).filter(({ link: how }) => how === 'direct').length;
    await expect.poll(met, { timeout: 30_000 }).toBe(1);
    const tool = await there.tool('Echo');
    await tool.at(name);
    await tool.argument('Text').fill('over WebRTC alone');
    await tool.run();
    await expect(tool.answer.getByText('over WebRTC alone', { exact: true })).toBeVisible();
  },
);

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
