import type { Page, TestInfo } from '@playwright/test';
import { expectAccessible } from './support/accessibility.ts';
import { InviteCard, joinByInvite, Shell } from './support/pages.ts';
import { expect, test } from './support/misbehaving.ts';

const NARROW = { width: 360, height: 740 };
const WIDE = { width: 1280, height: 800 };
/** Layout comes with the width and colours with the theme, so that two of the four pairs show every fault of either. */
const ASKED = [
  { size: NARROW, colorScheme: 'dark' },
  { size: WIDE, colorScheme: 'light' },
] as const;
/** WCAG 2.2, 1.4.10 Reflow: 320 CSS pixels, which is 1280 px at 400 %. */
const REFLOW = { width: 320, height: 640 };
/** All pairs and sizes, to be looked at by people: `TABMESH_LOOK=1 npx playwright test e2e/accessibility.spec.ts`. */
const LOOKED_AT =
  process.env['TABMESH_LOOK'] === undefined
    ? []
    : [320, 360, 768, 1280, 1920].flatMap((width) =>
        (['light', 'dark'] as const).map((colorScheme) => ({ size: { width, height: 800 }, colorScheme })),
      );

/** Asks axe about the view, takes its pictures when somebody looks, and leaves it as it was. */
async function examine(page: Page, view: string, testInfo: TestInfo): Promise<void> {
  const show = async (size: { width: number; height: number }, colorScheme: 'light' | 'dark') => {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme });
    // what a theme changes is drawn in the next frame, and for people who want no motion it does not fade
    const fading = await page.evaluate(async () => {
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      return document.getAnimations().filter((animation) => animation instanceof CSSTransition).length;
    });
    expect(fading, `${view}: transitions with reduced motion`).toBe(0);
    return `${view} ${size.width} ${colorScheme}`;
  };
  for (const { size, colorScheme } of ASKED) await expectAccessible(page, await show(size, colorScheme), testInfo);
  for (const { size, colorScheme } of LOOKED_AT) {
    await page.screenshot({ path: testInfo.outputPath(`${await show(size, colorScheme)}.png`) });
  }
  await show(REFLOW, 'light');
  const overflow = await page.evaluate(() => {
    const { scrollWidth, scrollHeight } = document.documentElement;
    const main = document.querySelector('main');
    return {
      sideways: Math.max(scrollWidth - innerWidth, main === null ? 0 : main.scrollWidth - main.clientWidth),
      // in a room the view scrolls, not the page
      below: document.querySelector('nav') === null ? 0 : scrollHeight - innerHeight,
    };
  });
  expect(overflow, `${view} at 320 px scrolls`).toEqual({ sideways: 0, below: 0 });
  await page.setViewportSize(WIDE);
}

const VIEWS = ['Research', 'Search', 'Data', 'Tools', 'Mesh', 'Settings'] as const;

async function everyView(page: Page, shell: Shell, state: string, testInfo: TestInfo): Promise<void> {
  for (const view of VIEWS) {
    await shell.go(view);
    await examine(page, `${view.toLowerCase()} ${state}`, testInfo);
  }
}

test.describe('axe finds nothing, and nothing scrolls sideways,', () => {
  test.setTimeout(240_000);

  test('from the first visit on, while a room fills', async ({ relay, device }, testInfo) => {
    const { page } = await device('A', { viewport: WIDE });
    await page.goto(relay.line.app);
    await expect(page.getByRole('heading', { level: 1, name: 'Start with a room' })).toBeVisible();
    await examine(page, 'welcome', testInfo);
    await page.goto(relay.line.invite ?? '');
    await expect(new InviteCard(page).join).toBeVisible();
    await examine(page, 'invite', testInfo);

    await new InviteCard(page).join.click();
    const shell = new Shell(page);
    await expect(shell.connection).toHaveAccessibleName('Connection: Direct');
    await examine(page, 'home', testInfo);
    await everyView(page, shell, 'empty', testInfo);

    await (await shell.research()).collect('sleep', 10);
    await (await shell.research()).collect('gut', 10);
    await everyView(page, shell, 'full', testInfo);

    const search = await shell.search();
    await search.ask('memory');
    await examine(page, 'search hits', testInfo);
    await search.hits().first().getByRole('heading', { level: 2 }).getByRole('button').click();
    await expect(search.record.first()).toBeVisible();
    await examine(page, 'search record', testInfo);
    await shell.go('Data');
    await page.getByRole('main').getByRole('link', { name: 'gut', exact: true }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'gut' })).toBeVisible();
    await examine(page, 'data dataset', testInfo);
    const tool = await shell.tool('Search the room');
    await tool.argument('query').fill('sleep');
    await tool.run();
    await expect(tool.answer).toBeVisible();
    await examine(page, 'tools answer', testInfo);
  });

  test('where things fail', async ({ relay, device, upstream }, testInfo) => {
    const { page, expectProblem } = await device('A', { viewport: WIDE });
    expectProblem(/WebSocket|ERR_CONNECTION_REFUSED|Failed to load resource/);
    const shell = await joinByInvite(page, relay.line.invite ?? '');
    upstream.misbehave({ fault: { kind: 'garbage' } });
    const run = await (await shell.research()).start('sleep', 10);
    await expect(run.article.getByRole('alert')).toBeVisible();
    await examine(page, 'research failing', testInfo);
    // not a record, which the others would be asked for until the time is up
    const tool = await shell.tool('Read a dataset');
    await tool.argument('dataset').fill('bafyreib2rxk3rybk3aobmv5cjuql3bm2twh4jo5uxgf5kpqcsgz7soitae');
    await tool.run();
    await expect(page.getByRole('main').getByRole('alert')).toBeVisible();
    await examine(page, 'tools failing', testInfo);
    await relay.stop();
    await expect(shell.connection).toHaveAccessibleName('Connection: Offline');
    await everyView(page, shell, 'offline', testInfo);
  });
});

/** Where the Tab key has led to. */
interface Stop {
  readonly what: string;
  readonly shown: boolean;
  readonly ringed: boolean;
  /** its place in the whole of the view, px */
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** What has the focus; null when that is outside the view. */
async function stopInMain(page: Page): Promise<Stop | null> {
  return await page.evaluate(() => {
    const at = document.activeElement;
    const main = at?.closest('main');
    if (at === null || main === null || main === undefined) return null;
    const { width, height, top, bottom, left, right } = at.getBoundingClientRect();
    const { outlineStyle, boxShadow } = getComputedStyle(at);
    const holder = at.closest(':focus-within:not(:focus)');
    const around = holder === null ? '' : getComputedStyle(holder).outlineStyle;
    return {
      what: `${at.tagName} ${at.getAttribute('aria-label') ?? at.textContent.trim().slice(0, 30)}`,
      shown: width > 0 && height > 0,
      ringed: outlineStyle !== 'none' || boxShadow !== 'none' || around !== 'none',
      top: top + main.scrollTop,
      bottom: bottom + main.scrollTop,
      left,
      right,
    };
  });
}

test('by keyboard alone', async ({ relay, device }) => {
  const { page } = await device('A', { viewport: WIDE });
  const shell = await joinByInvite(page, relay.line.invite ?? '');
  await (await shell.research()).collect('sleep', 5);

  await test.step('the first stop of the page skips to the content', async () => {
    await page.reload();
    await expect(shell.connection).toHaveAccessibleName('Connection: Direct');
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => document.activeElement?.textContent.trim());
    expect(focused).toMatch(/^Skip to/);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('main')).toBeFocused();
  });

  await test.step('the palette opens by Ctrl+K, goes to a view, and puts the focus there', async () => {
    await page.keyboard.press('Control+k');
    await page.keyboard.type('mesh');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('heading', { level: 1, name: 'Mesh' })).toBeFocused();
  });

  await test.step('focus goes to the heading of the view one goes to, and on in the order of reading', async () => {
    await shell.go('Settings');
    for (const view of VIEWS) {
      const link = page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: view, exact: true });
      await link.focus();
      await page.keyboard.press('Enter');
      await expect(page.getByRole('heading', { level: 1, name: view, exact: true })).toBeFocused();

      const stops: Stop[] = [];
      for (let step = 0; step < 60; step++) {
        await page.keyboard.press('Tab');
        const stop = await stopInMain(page);
        if (stop === null) break;
        stops.push(stop);
      }
      expect(stops.length, `${view} has something to do by keyboard`).toBeGreaterThan(0);
      expect(
        stops.filter(({ shown, ringed }) => !shown || !ringed),
        `stops of ${view} that are not seen`,
      ).toEqual([]);
      // back up only to the top of a column beside it
      const jumps = stops.filter(({ bottom, left }, index) => {
        const before = stops[index - 1];
        return before !== undefined && bottom <= before.top && left < before.right;
      });
      expect(jumps, `stops of ${view} that are above the one before`).toEqual([]);
    }
  });

  await test.step('a dialog takes the focus, keeps it, and gives it back', async () => {
    const data = await shell.data();
    const menu = data.row('sleep').getByRole('button', { name: 'Actions for sleep' });
    await menu.focus();
    await page.keyboard.press('Enter');
    const remove = data.row('sleep').getByRole('button', { name: 'Delete from this device' });
    await expect(remove).toBeVisible();
    await remove.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await expect(dialog).toBeVisible();
    for (let step = 0; step < 8; step++) {
      await page.keyboard.press('Tab');
      const outside = await page.evaluate(() => {
        const at = document.activeElement;
        return at !== null && at !== document.body && at.closest('dialog, [role="dialog"]') === null;
      });
      expect(outside, 'focus behind the dialog').toBe(false);
    }
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
    await expect(menu).toBeFocused();
  });
});

test('what a run does is said in a live region', async ({ relay, device }) => {
  const { page } = await device('A', { viewport: WIDE });
  const shell = await joinByInvite(page, relay.line.invite ?? '');
  await page.evaluate(() => {
    const said: string[] = [];
    Object.assign(globalThis, { said });
    for (const region of document.querySelectorAll('[aria-live], [role="status"]')) {
      new MutationObserver(() => said.push(region.textContent.trim())).observe(region, {
        childList: true,
        characterData: true,
        subtree: true,
      });
    }
  });
  await (await shell.research()).collect('sleep', 10);
  const said = () => page.evaluate(() => (globalThis as unknown as { said: string[] }).said.join('\n'));
  await expect.poll(said).toMatch(/Collection started/);
  await expect.poll(said).toMatch(/sleep: done, 10 records/);
});
