import { encodeBlock } from '../src/data/codec.ts';
import { joinByInvite } from './support/pages.ts';
import { dumpBlocks, writeBlock } from './support/stored-blocks.ts';
import { dumpStored, writeStored } from './support/stored.ts';
import { expect, test } from './support/test.ts';

test(
  'what nothing lists is deleted soon after a room is opened; what is listed stays',
  { tag: '@long' },
  async ({ relay, device }) => {
    const { page, context, expectProblem } = await device('A');
    expectProblem(/favicon/);
    const { room, invite, app } = relay.line;
    const store = `tabmesh/room/${room ?? ''}`;
    const shell = await joinByInvite(page, invite ?? '');
    await (await shell.research()).collect('sleep', 5);

    await page.goto(`${app}icon.svg`);
    const listed = await dumpBlocks(page, room ?? '');
    const left = await encodeBlock({ run: 'left behind', records: [] }, 'a batch');
    await writeBlock(page, room ?? '', left.cid, left.bytes);
    await writeStored(page, store, `search/segment/${left.cid}`, { version: 1 });
    expect(await dumpBlocks(page, room ?? '')).toHaveLength(listed.length + 1);

    const said: string[] = [];
    context.on('console', (message) => said.push(message.text()));
    await page.goto(app);
    await expect
      .poll(() => said.join('\n'), { timeout: 30_000 })
      .toMatch(/unlisted blocks deleted deleted=1 kept=\d+ segments=1 /);

    await test.step('the dataset and its part of the index are as they were', async () => {
      const search = await shell.search();
      await search.ask('sleep');
      await search.hits().first().waitFor();
      await page.goto(`${app}icon.svg`);
      expect(await dumpBlocks(page, room ?? '')).toEqual(listed);
      const segments = (await dumpStored(page, store)).filter(([name]) => name.startsWith('search/segment/'));
      expect(segments).toHaveLength(1);
    });
  },
);
