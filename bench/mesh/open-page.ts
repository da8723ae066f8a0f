import type { Browser, BrowserContext, Page } from '@playwright/test';
import { quantile } from '../search/measures.ts';
import type { BenchRelay } from './relay.ts';
import type { TabPair } from './tabs.ts';

/** A loaded machine may need this long. */
const LINK_MS = 30_000;

/** ms from the start of the navigation */
export interface Opening {
  /** the first member is linked and proven */
  readonly firstMemberMs: number;
  /** another tab is linked directly */
  readonly firstDirectTabMs: number;
}

interface Seen {
  firstMember: number | null;
  firstDirectTab: number | null;
}

/**
 * Opens the product's own page again and again, in a browser profile that has joined before: its HTTP cache, code cache
 * and service worker are warm, as for somebody who comes back. Two tabs and the relay's peer are in the room.
 */
export async function measureOpening(
  browser: Browser,
  relay: BenchRelay,
  { a }: TabPair,
  loads: number,
): Promise<{ readonly loads: readonly Opening[]; readonly median: Opening }> {
  const context = await browser.newContext();
  await context.addInitScript(watchTopBar);
  try {
    const first = await context.newPage();
    await first.goto(relay.invite);
    await first.getByRole('button', { name: 'Join', exact: true }).click({ timeout: LINK_MS });
    await openingOf(first);
    await first.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await leave(first, a);
    const openings: Opening[] = [];
    for (let i = 0; i < loads; i++) openings.push(await load(context, relay.app, a));
    const median = (pick: (opening: Opening) => number) => quantile(openings.map(pick), 0.5);
    return {
      loads: openings,
      median: {
        firstMemberMs: median((opening) => opening.firstMemberMs),
        firstDirectTabMs: median((opening) => opening.firstDirectTabMs),
      },
    };
  } finally {
    await context.close();
  }
}

async function load(context: BrowserContext, url: string, witness: Page): Promise<Opening> {
  const page = await context.newPage();
  await page.goto(url);
  const opening = await openingOf(page);
  await leave(page, witness);
  return opening;
}

async function openingOf(page: Page): Promise<Opening> {
  const handle = await page.waitForFunction(
    () => {
      const { firstMember, firstDirectTab } = (globalThis as unknown as { topBar: Seen }).topBar;
      return firstMember === null || firstDirectTab === null
        ? null
        : { firstMemberMs: firstMember, firstDirectTabMs: firstDirectTab };
    },
    undefined,
    { timeout: LINK_MS },
  );
  const opening = await handle.jsonValue();
  if (opening === null) throw new Error('the page was not linked');
  return opening;
}

/** Closes the page, and waits until a tab of the room has seen it go: the next one comes as the same peer. */
async function leave(page: Page, witness: Page): Promise<void> {
  await page.close({ runBeforeUnload: true });
  await witness.waitForFunction(() => bench.peers().filter(({ kind }) => kind === 'tab').length === 2, undefined, {
    timeout: LINK_MS,
  });
}

/** Runs in the page before its own scripts: notes when its top bar first shows a member, and a direct link to a tab. */
function watchTopBar(): void {
  const seen: Seen = { firstMember: null, firstDirectTab: null };
  Object.assign(globalThis, { topBar: seen });
  const observer = new MutationObserver(() => {
    const here = Number(/^\d+/.exec(document.querySelector('header .here .num')?.textContent ?? '')?.[0] ?? 0);
    const direct = document.querySelector('header [aria-label="Connection: Direct"]') !== null;
    // the page itself is one of those who are here
    if (here >= 2) seen.firstMember ??= performance.now();
    // and so is the relay's peer: with three, all linked directly, one is a tab
    if (here >= 3 && direct) {
      seen.firstDirectTab ??= performance.now();
      observer.disconnect();
    }
  });
  observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
}
