import type { Browser, Page } from '@playwright/test';
import { chromium } from '@playwright/test';
import { ensureChromium } from '../../scripts/chromium.ts';
import '../page/handles.ts';

/** Joining takes well under a second; a loaded machine may need much longer. */
const JOIN_MS = 30_000;

/** What a tab's list of peers must show before anything is measured. */
interface Wanted {
  readonly peer: string;
  readonly link: 'direct';
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: ensureChromium(),
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-features=WebRtcHideLocalIpsWithMdns',
    ],
  });
}

/** Two tabs in profiles of their own. */
export interface TabPair {
  /** serves */
  readonly a: Page;
  /** calls */
  readonly b: Page;
  /** their peer ids */
  readonly ids: { readonly a: string; readonly b: string };
}

/** Opens two tabs, lets them join and waits until they are linked directly, by the room and by a channel of the bench. */
export async function openPair(browser: Browser, origin: string, invite: string): Promise<TabPair> {
  const fragment = new URL(invite).hash;
  const a = await openTab(browser, origin + '/' + fragment);
  const b = await openTab(browser, origin + '/' + fragment);
  const ids = { a: await selfOf(a), b: await selfOf(b) };
  await Promise.all([linked(a, { peer: ids.b, link: 'direct' }), linked(b, { peer: ids.a, link: 'direct' })]);
  await a.evaluate(() => bench.serveStreamEcho());
  const offer = await b.evaluate(() => bench.offer());
  const answer = await a.evaluate((sdp) => bench.answer(sdp), offer);
  await b.evaluate((sdp) => bench.accept(sdp), answer);
  return { a, b, ids };
}

async function openTab(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on('pageerror', (error) => {
    console.error(`in a tab: ${error.stack ?? error.message}`);
  });
  await page.goto(url);
  await page.getByRole('button', { name: 'Join', exact: true }).click({ timeout: JOIN_MS });
  await page.waitForFunction(() => bench.self() !== null, undefined, { timeout: JOIN_MS });
  return page;
}

async function selfOf(page: Page): Promise<string> {
  const self = await page.evaluate(() => bench.self());
  if (self === null) throw new Error('the room is not open');
  return self;
}

async function linked(page: Page, wanted: Wanted): Promise<void> {
  await page.waitForFunction(
    ({ peer, link }) => bench.peers().some((each) => each.peer === peer && each.link === link && each.tools > 0),
    wanted,
    { timeout: JOIN_MS },
  );
}
