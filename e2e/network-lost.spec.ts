import { createServer } from 'node:net';
import { once } from 'node:events';
import { startTcpProxy } from '../tests/support/tcp-proxy.ts';
import { joinByInvite } from './support/pages.ts';
import { expect, test } from './support/test.ts';

/** A relay is asked every 10 s whether it is there, and has twice 5 s to answer. */
const NOTICED_MS = 30_000;
/** A try takes up to 10 s, and up to 15 s are between two. */
const BACK_MS = 45_000;

test(
  'a tab whose network is taken away says so, and is back by itself on another one',
  { tag: '@long' },
  async ({ anotherRelay, device }) => {
    test.setTimeout(150_000);
    const proxy = await startTcpProxy();
    try {
      const port = await freePort();
      const shown = `http://127.0.0.1:${proxy.port}`;
      const relay = await anotherRelay(['--demo', '--port', String(port), '--public-url', shown]);
      proxy.lead(port);
      const { page, expectProblem } = await device('A');
      expectProblem(/WebSocket|Failed to load resource|Failed to fetch|ERR_/);
      const shell = await joinByInvite(page, relay.line.invite ?? '');
      const mesh = await shell.mesh();
      await mesh.expectOthers(['relay direct']);
      await shell.readyForOffline();

      // nothing is closed: it just no longer arrives
      proxy.takeAway();
      await mesh.expectOthers([], NOTICED_MS);
      await expect(shell.connection).toHaveAccessibleName(/Offline|Starting|Connecting/, { timeout: NOTICED_MS });
      const doctor = page.getByRole('region', { name: 'Doctor' });
      await doctor.getByRole('button', { name: 'Check the connection' }).click();
      const trouble = doctor.getByRole('listitem').filter({ hasText: 'Connection to the relay' });
      await expect(trouble).toContainText(`127.0.0.1:${proxy.port} does not answer`, { timeout: 25_000 });
      await expect(trouble).toContainText('another network, VPN or firewall may be in the way');

      // at another address: what was open before stays dead
      proxy.giveBack({ moved: true });
      await mesh.expectOthers(['relay direct'], BACK_MS);
      await expect(shell.connection).toHaveAccessibleName('Connection: Direct');
    } finally {
      await proxy.close();
    }
  },
);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
