import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CarReader } from '@ipld/car';
import { decode } from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import type { DatasetManifest, DatasetRoot } from '../src/contracts/dataset.ts';
import type { LiteratureRecord } from '../src/contracts/records.ts';
import { demoRoute } from '../tests/support/upstream-routes.ts';
import { startHeldUpstream, type HeldUpstream } from './support/held-upstream.ts';
import { joinByInvite } from './support/pages.ts';
import { storedBlock } from './support/stored-blocks.ts';
import { expect, test as base } from './support/test.ts';

/** A word of one record of the demo, and of no other. */
const WORD = 'microscopy';
const TITLE = /^Synaptic downscaling in the mouse cortex/;
/** The end of its abstract. */
const ENDING = 'how sleep makes room for new learning.';
const QUERY = 'sleep';

const test = base.extend<{ readonly upstream: HeldUpstream }>({
  upstream: async ({}, use) => {
    const upstream = await startHeldUpstream(await demoRoute());
    await use(upstream);
    upstream.release();
    await upstream.close();
  },
  relayArgs: async ({ upstream }, use) => {
    await use(['--upstream', `pubmed=${upstream.url}`]);
  },
});

test('collect in one browser, search and read in another', async ({ relay, device, upstream }) => {
  const [a, b] = [await device('A'), await device('B')];
  const invite = relay.line.invite ?? '';
  const room = relay.line.room ?? '';
  const here = await joinByInvite(a.page, invite);
  const there = await joinByInvite(b.page, invite);
  const { name: nameOfA } = await (await here.mesh()).self();
  await (await there.mesh()).expectOthers(['relay direct', 'tab direct']);

  const dataset = await test.step('A collects, and sees how far it is', async () => {
    const research = await here.research();
    upstream.hold();
    const run = await research.start(QUERY, 100);
    await expect(run.steps.nth(0)).toHaveText(/Search PubMed: Done/);
    await expect(run.steps.nth(1)).toHaveText(/Fetch records: Running/);
    await expect(run.steps.nth(1).getByRole('progressbar', { name: 'Fetch records' })).toBeVisible();
    await expect(run.steps.nth(2)).toHaveText(/Write dataset: Waiting/);
    upstream.release();
    await expect(run.article).toContainText('Done');
    await expect(run.article).toContainText(/\d+ records/);
    return await run.dataset();
  });

  await test.step('A stops a collection that it no longer wants', async () => {
    const research = await here.research();
    upstream.hold();
    const run = await research.start('gut microbiome', 100);
    await expect(run.steps.nth(1)).toHaveText(/Fetch records: Running/);
    await run.article.getByRole('button', { name: 'Cancel' }).click();
    await expect(run.article).toContainText('Cancelled');
    upstream.release();
  });

  const search = await there.search();
  await test.step('B, which collected nothing, finds it on A', async () => {
    await search.askUntil(WORD, /1 match from 1 device/);
    const hit = search.hit(TITLE);
    await expect(hit).toContainText(nameOfA.split(' · ')[0] ?? '');
    await expect(hit).toContainText('PubMed 90010014');
    await expect(hit.getByText(WORD).first()).toBeVisible();
    await expect(hit).not.toContainText(ENDING);
  });

  const wireAnswer = await test.step('what A answers to a search holds a snippet, not the abstract', async () => {
    const tool = await there.tool('Search one device');
    await tool.argument('Query').fill(WORD);
    await tool.at(nameOfA);
    await tool.run();
    await tool.answer.getByRole('button', { name: 'JSON' }).click();
    const text = (await tool.answer.getByRole('region', { name: 'Answer as JSON' }).textContent()) ?? '';
    expect(text).not.toContain(ENDING);
    const [hit] = (JSON.parse(text) as { hits: { record_cid: string; snippet: string }[] }).hits;
    expect(hit?.snippet.length).toBeLessThanOrEqual(300);
    return { cid: hit?.record_cid ?? '', size: text.length };
  });

  await test.step('opening the hit fetches the whole record over Bitswap, verified', async () => {
    await there.search();
    await search.ask(WORD);
    expect(await storedBlock(b.page, room, wireAnswer.cid)).toBeNull();
    const requests: string[] = [];
    b.context.on('request', (request) => {
      const { pathname } = new URL(request.url());
      if (!pathname.startsWith('/assets/')) requests.push(pathname);
    });
    await search.open(TITLE);
    expect(await search.recordCid()).toBe(wireAnswer.cid);
    await expect(search.record).toContainText(ENDING);
    // B has not indexed the record: A is asked for its neighbours as well
    const related = search.record.getByRole('region', { name: 'Related records' });
    await expect(related.getByRole('listitem')).toHaveCount(5);
    expect(requests).toEqual([]);
    // the relay's peer has no copy that it could have come from
    expect(await readdir(join(relay.dataFolder, 'rooms', room, 'blocks'))).toEqual([]);
    const bytes = await storedBlock(b.page, room, wireAnswer.cid);
    const record = decode<LiteratureRecord>(checked(wireAnswer.cid, bytes));
    expect(record.abstract.at(-1)?.text).toContain(ENDING);
  });

  const data = await there.data();
  await test.step('B sees who holds the dataset', async () => {
    await expect(data.row(QUERY)).toContainText(nameOfA.split(' · ')[0] ?? '');
    await expect(data.row(QUERY)).toContainText('held by 1 device');
  });

  await test.step('B exports it, from A, as a CAR that anybody can read', async () => {
    const download = b.page.waitForEvent('download');
    await data.choose(QUERY, 'Export as CAR');
    const file = await download;
    expect(file.suggestedFilename()).toMatch(/^sleep-.*\.car$/);
    await readCar(await readFile(await file.path()), dataset);
  });

  await test.step('B keeps a copy, and answers for it itself', async () => {
    await data.choose(QUERY, 'Keep here');
    await expect(data.row(QUERY)).toContainText('2 online');
    expect(await storedBlock(b.page, room, dataset)).not.toBeNull();
    await (await there.search()).askUntil(WORD, /1 match from 2 devices/);
    await (await here.search()).askUntil(WORD, /1 match from 2 devices/);
  });

  await test.step('A deletes its copy; B still has the data', async () => {
    const own = await here.data();
    await own.delete(QUERY);
    await expect(own.row(QUERY)).toContainText('held by 1 device');
    await expect.poll(() => storedBlock(a.page, room, wireAnswer.cid)).toBeNull();
    const again = await here.search();
    await again.askUntil(WORD, /1 match from 1 device/);
    await again.open(TITLE);
    await expect(again.record).toContainText(ENDING);
  });

  await test.step('B deletes the last copy: the room no longer lists it', async () => {
    const own = await there.data();
    await own.delete(QUERY);
    await expect(own.rows).toHaveCount(0);
    await (await here.data()).rows.first().waitFor({ state: 'detached' });
  });
});

/** The bytes, when they are what their CID says. */
function checked(cid: string, bytes: Uint8Array | null): Uint8Array {
  if (bytes === null) throw new Error(`the block ${cid} is not stored`);
  expect(createHash('sha256').update(bytes).digest()).toEqual(Buffer.from(CID.parse(cid).multihash.digest));
  return bytes;
}

/** Reads a CAR with another implementation than ours, and follows it from its root to every record. */
async function readCar(file: Uint8Array, dataset: string): Promise<void> {
  const car = await CarReader.fromBytes(file);
  const block = async (cid: string) => checked(cid, (await car.get(CID.parse(cid)))?.bytes ?? null);
  const [root] = await car.getRoots();
  const manifest = decode<DatasetManifest>(await block(String(root)));
  expect(String(manifest.data)).toBe(dataset);
  const { count, pages } = decode<DatasetRoot>(await block(dataset));
  const titles: string[] = [];
  for (const page of pages) {
    for (const cid of decode<{ records: readonly unknown[] }>(await block(String(page))).records) {
      titles.push(decode<LiteratureRecord>(await block(String(cid))).title);
    }
  }
  expect(titles).toHaveLength(count);
  expect(titles).toContainEqual(expect.stringMatching(TITLE));
}
