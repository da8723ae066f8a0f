import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page, type TestInfo } from '@playwright/test';

/** axe's names for WCAG 2.2, level AA, and the older versions that it builds on. */
const WCAG_22_AA = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
/** Instead of axe's half megabyte where the page has it already. */
const NOTHING_MORE = ';';

/**
 * Fails when axe finds something in the page as it is now. What it found is attached as JSON.
 * @param view names the state, such as `search, empty, dark`
 */
export async function expectAccessible(page: Page, view: string, testInfo: TestInfo): Promise<void> {
  const loaded = await page.evaluate(() => 'axe' in globalThis);
  // the app has no frames, whose results would need a blank page of their own to be put together: axe's other mode
  expect(page.frames(), 'frames of the page').toHaveLength(1);
  const axe = new AxeBuilder(loaded ? { page, axeSource: NOTHING_MORE } : { page }).setLegacyMode();
  // of the rest one example a rule is enough
  const { violations, passes } = await axe
    .options({ resultTypes: ['violations'] })
    .withTags(WCAG_22_AA)
    .analyze();
  expect(passes.length, 'rules that axe found something to apply to').toBeGreaterThan(0);
  await testInfo.attach(`axe: ${view}.json`, {
    body: JSON.stringify(violations, null, 2),
    contentType: 'application/json',
  });
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(' ')}`);
  expect(found, `axe: ${view}`).toEqual([]);
}
