import { modernClient, olderClient } from '../tests/support/mcp-clients.ts';
import { joinByInvite } from './support/pages.ts';
import { expect, test } from './support/test.ts';

test('a tab is an MCP server by itself: tools, resources, prompts, completion', async ({ relay, device }) => {
  const { page } = await device('A');
  const shell = await joinByInvite(page, relay.line.invite ?? '');
  const mesh = await shell.mesh();
  await mesh.expectOthers(['relay direct']);
  const { peer } = await mesh.ownIds();
  const { mcp, token } = relay.line;

  for (const connect of [olderClient, modernClient]) {
    const client = await connect(`${mcp}/peers/${peer}`, { token });
    try {
      const result = await client.call('list_peers', {});
      const { peers } = result['structuredContent'] as { peers: { peer: string; link: string }[] };
      expect(peers.find(({ link }) => link === 'self')?.peer).toBe(peer);
      // what follows is loaded by the tab when it is first asked for
      expect((await client.resources()).map(({ uri }) => uri)).toContain(`peer://${peer}`);
      expect(await client.read(`peer://${peer}`)).toMatchObject({ peer, kind: 'tab', link: 'self' });
      expect(await client.prompt('literature_survey', { question: 'Why sleep?' })).toContain('Why sleep?');
      expect(
        await client.complete({ template: 'peer://{peer}' }, { name: 'peer', value: peer.slice(0, 12) }),
      ).toContain(peer);
    } finally {
      await client.close();
    }
  }
});
