import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page, type TestInfo } from '@playwright/test';

/** axe's names for WCAG 2.2, level AA, and the older versions that it builds on. */
const WCAG_22_AA = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/**
 * Fails when axe finds something in the page as it is now. What it found is attached as JSON.
 * @param view names the state, such as `search, empty, dark`
 */
export async function expectAccessible(page: Page, view: string, testInfo: TestInfo): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(WCAG_22_AA).analyze();
  await testInfo.attach(`axe: ${view}.json`, {
    body: JSON.stringify(violations, null, 2),
    contentType: 'application/json',
  });
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(' ')}`);
  expect(found, `axe: ${view}`).toEqual([]);
}
