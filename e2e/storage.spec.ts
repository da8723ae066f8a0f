import { CarReader } from '@ipld/car';
import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { joinByInvite, type Shell } from './support/pages.ts';
import { dumpStored, writeStored } from './support/stored.ts';
import { expect, test } from './support/test.ts';

const NEWER = 99;
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

test.describe('data that a newer version has stored is refused and left as it is', () => {
  const formats: readonly (readonly [string, (room: string | null) => string, string])[] = [
    ['this device', () => 'tabmesh/device', 'format/device'],
    ['a room', store, 'format/room'],
    ['the replica', store, 'format/replica'],
  ];
  for (const [what, database, key] of formats) {
    test(`${what}; what can be read is still exported`, async ({ relay, device }, testInfo) => {
      const { page, expectProblem } = await device('A');
      const { room, invite, app } = relay.line;
      const { cid } = await withDataset(page, invite);
      await page.goto('about:blank');
      await page.goto(`${app}icon.svg`);
      await writeStored(page, database(room), key, NEWER);
      const before = [await dumpStored(page, 'tabmesh/device'), await dumpStored(page, store(room))];

      expectProblem(/TabmeshError|favicon/);
      await page.goto(app);
      const alert = page.getByRole('alert');
      await expect(alert).toContainText('Update this app');
      await expect(alert).toContainText(String(NEWER));
      await page.screenshot({ path: testInfo.outputPath(`newer ${key.replace('/', '-')}.png`) });
      expect(await exported(page)).toContain(cid);

      await page.goto(`${app}icon.svg`);
      expect([await dumpStored(page, 'tabmesh/device'), await dumpStored(page, store(room))]).toEqual(before);
    });
  }

  test('an entry of the replica', async ({ relay, device }) => {
    const { page, expectProblem } = await device('A');
    const { room, invite, app } = relay.line;
    const { cid } = await withDataset(page, invite);
    await page.goto(`${app}icon.svg`);
    const entries = (await dumpStored(page, store(room))).filter(([key]) => key.startsWith('replica/entry/'));
    const [key, text] = entries.at(-1) ?? ['', ''];
    const bytes = (JSON.parse(text) as string).slice('bytes '.length).split(',').map(Number);
    // dag-cbor: the key "version", then the small integer itself
    const at = Buffer.from(bytes).lastIndexOf('version') + 'version'.length;
    expect(bytes[at]).toBe(1);
    bytes[at] = 23;
    await writeStored(page, store(room), key, { bytes });
    const before = await dumpStored(page, store(room));

    expectProblem(/TabmeshError|favicon/);
    await page.goto(app);
    await expect(page.getByRole('alert')).toContainText('Update this app');
    expect(await exported(page)).toContain(cid);
    await page.goto(`${app}icon.svg`);
    expect(await dumpStored(page, store(room))).toEqual(before);
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
