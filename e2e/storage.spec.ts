import { CarReader } from '@ipld/car';
import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { joinByInvite, type Shell } from './support/pages.ts';
import { dumpStored, writeStored } from './support/stored.ts';
import { expect, test } from './support/test.ts';

const NEWER = 99;
/** The largest that dag-cbor writes into the same one byte. */
const NEWER_ENTRY = 23;
const store = (room: string | null) => `tabmesh/room/${room ?? ''}`;

/** A room with one dataset in it. */
async function withDataset(page: Page, invite: string | null): Promise<{ shell: Shell; cid: string }> {
  const shell = await joinByInvite(page, invite ?? '');
  const cid = await (await shell.research()).collect('sleep', 5);
  return { shell, cid };
}

/** Saves the export that the page offers. @returns the CIDs in it */
async function exported(page: Page): Promise<readonly string[]> {
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: /^Export the data/ }).click();
  const file = await (await download).path();
  const car = await CarReader.fromBytes(await readFile(file));
  const cids: string[] = [];
  for await (const cid of car.cids()) cids.push(cid.toString());
  return cids;
}

test.describe('data that a newer version has stored is refused and left as it is', { tag: '@long' }, () => {
  test('this device, the room, the replica, an entry of it; what can be read is still exported', async ({
    relay,
    device,
  }, testInfo) => {
    test.setTimeout(120_000);
    const { page, expectProblem } = await device('A');
    expectProblem(/TabmeshError|favicon/);
    const { room, invite, app } = relay.line;
    const { cid } = await withDataset(page, invite);
    /** a page of the same origin that writes nothing */
    const aside = `${app}icon.svg`;
    const databases = ['tabmesh/device', store(room)];
    const dumps = () => Promise.all(databases.map((database) => dumpStored(page, database)));

    /** The app, opened over what is stored now, refuses it, exports what it can, and changes nothing. */
    const refuses = async (what: string, says: string) => {
      const before = await dumps();
      await page.goto(app);
      const alert = page.getByRole('alert');
      await expect(alert).toContainText('Update this app');
      await expect(alert).toContainText(says);
      await page.screenshot({ path: testInfo.outputPath(`newer ${what}.png`) });
      expect(await exported(page)).toContain(cid);
      await page.goto(aside);
      expect(await dumps()).toEqual(before);
    };

    await page.goto(aside);
    // a version of its own for each, so that each is refused for itself
    for (const [what, database, key, newer] of [
      ['device', 'tabmesh/device', 'format/device', NEWER],
      ['room', store(room), 'format/room', NEWER + 1],
      ['replica', store(room), 'format/replica', NEWER + 2],
    ] as const) {
      await test.step(what, async () => {
        const [, version] = (await dumpStored(page, database)).find(([name]) => name === key) ?? [];
        await writeStored(page, database, key, newer);
        await refuses(what, String(newer));
        await writeStored(page, database, key, Number(version));
      });
    }

    await test.step('entry', async () => {
      const entries = (await dumpStored(page, store(room))).filter(([key]) => key.startsWith('replica/entry/'));
      const [key, text] = entries.at(-1) ?? ['', ''];
      const bytes = (JSON.parse(text) as string).slice('bytes '.length).split(',').map(Number);
      // dag-cbor: the key "version", then the small integer itself
      const at = Buffer.from(bytes).lastIndexOf('version') + 'version'.length;
      expect(bytes[at]).toBe(2);
      bytes[at] = NEWER_ENTRY;
      await writeStored(page, store(room), key, { bytes });
      await refuses('entry', String(NEWER_ENTRY));
    });
  });

  test('a run and a segment, beside which the rest of the room works', async ({ relay, device }, testInfo) => {
    const { page, context, expectProblem } = await device('A');
    expectProblem(/favicon/);
    const { room, invite, app } = relay.line;
    const { shell } = await withDataset(page, invite);
    await (await shell.research()).collect('gut', 5);
    await page.goto(`${app}icon.svg`);
    const stored = await dumpStored(page, store(room));
    const touch = async (prefix: string) => {
      const [key, text] = stored.find(([name]) => name.startsWith(prefix)) ?? ['', '{}'];
      await writeStored(page, store(room), key, { ...(JSON.parse(text) as object), version: NEWER });
      return key;
    };
    const newer = [await touch('run/head/'), await touch('search/segment/')];
    const before = (await dumpStored(page, store(room))).filter(([key]) => newer.includes(key));

    const said: string[] = [];
    // its workers say it
    context.on('console', (message) => said.push(message.text()));
    await page.goto(app);
    await expect(shell.connection).toHaveAccessibleName('Connection: Direct');
    await expect.poll(() => said.join('\n')).toMatch(/run unreadable .*Update this app/);
    await shell.research();
    // the other of the two
    await expect(page.getByRole('main').getByRole('article')).toHaveCount(1);
    const search = await shell.search();
    await search.ask('gut OR sleep');
    await expect(search.answer).toContainText(/missing|not searched/i);
    await expect.poll(() => said.join('\n')).toMatch(/index cannot be read .*Update this app/);
    await page.screenshot({ path: testInfo.outputPath('newer segment.png') });
    await page.goto(`${app}icon.svg`);
    expect((await dumpStored(page, store(room))).filter(([key]) => newer.includes(key))).toEqual(before);
  });
});
