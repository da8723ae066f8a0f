import { expectAccessible } from './support/accessibility.ts';
import { expect, test } from './support/test.ts';

test('the API can be read and tried out at /docs, from the relay alone', async ({ relay, device }, testInfo) => {
  const { page } = await device('A');
  const outside: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(relay.line.app) && !request.url().startsWith('data:')) outside.push(request.url());
  });
  await page.goto(new URL('docs', relay.line.app).href);
  await expectAccessible(page, 'API docs, before a token', testInfo);
  await page.getByLabel('Token').fill(relay.line.token);
  await page.getByRole('button', { name: 'Show the API' }).click();
  const echo = page.locator('.opblock', { hasText: '/api/tools/echo' });
  await echo.getByRole('button').first().click();
  await echo.getByRole('textbox').last().fill('{"text": "from the docs"}');
  await echo.getByRole('button', { name: 'Execute' }).click();
  await expect(echo.locator('.live-responses-table')).toContainText('"text": "from the docs"');
  expect(outside).toEqual([]);
});
