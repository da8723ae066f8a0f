import type { Locator, Page } from '@playwright/test';
import { expectAccessible } from './support/accessibility.ts';
import { joinByInvite } from './support/pages.ts';
import { expect, test } from './support/test.ts';

/** The doctor of the Mesh view. */
class Doctor {
  readonly #page: Page;
  readonly card: Locator;

  constructor(page: Page) {
    this.#page = page;
    this.card = page.getByRole('region', { name: 'Doctor' });
  }

  /** Has it examine the connection. */
  async run(): Promise<void> {
    await this.card.getByRole('button', { name: 'Check the connection' }).click();
    await this.done();
  }

  /** Waits for the report. */
  async done(): Promise<void> {
    await expect(this.card.getByRole('button', { name: 'Copy report' })).toBeVisible({ timeout: 20_000 });
  }

  check(title: string): Locator {
    return this.card
      .getByRole('listitem')
      .filter({ has: this.#page.getByRole('heading', { name: title, exact: true }) });
  }

  /** Titles of the checks with this word beside them. */
  async titles(word: 'OK' | 'Warning' | 'Failed' | 'Skipped'): Promise<readonly string[]> {
    const rows = this.card.getByRole('listitem').filter({ has: this.#page.getByText(word, { exact: true }) });
    return await rows.getByRole('heading').allTextContents();
  }

  async copied(): Promise<string> {
    await this.card.getByRole('button', { name: 'Copy report' }).click();
    return await this.#page.evaluate(() => navigator.clipboard.readText());
  }
}

test.describe('the doctor', () => {
  test.setTimeout(120_000);

  test('finds nothing wrong where nothing is, and its report holds no secret', async ({ relay, device }, testInfo) => {
    const invite = relay.line.invite ?? '';
    const a = await device('A', { permissions: ['clipboard-read', 'clipboard-write'] });
    const b = await device('B', {});
    const shell = await joinByInvite(a.page, invite);
    await joinByInvite(b.page, invite);
    await expect(shell.connection).toHaveAccessibleName('Connection: Direct');
    await shell.readyForOffline();
    await shell.mesh();
    const doctor = new Doctor(a.page);
    const host = new URL(relay.line.app).host;
    // the other tab's proof may be a moment behind
    await expect(a.page.getByRole('main').getByText('2 direct', { exact: true })).toBeVisible();

    await doctor.run();
    await expect(doctor.card.getByRole('status')).toHaveText('Everything that was checked is well.');
    expect(await doctor.titles('Failed')).toEqual([]);
    expect(await doctor.titles('Warning')).toEqual([]);
    await expect(doctor.check('Relay over HTTP')).toContainText(`${host} answered in`);
    await expect(doctor.check('Connection to the relay')).toContainText(`${host} answered a ping in`);
    await expect(doctor.check('Reservation at the relay')).toContainText(`${host} keeps a place for this peer for`);
    await expect(doctor.check('Members seen')).toContainText('2 members are here and proven');
    await expect(doctor.check('Direct or relayed')).toContainText('2 links, all direct');
    await expect(doctor.check('Addresses for direct links')).toContainText('No STUN server is set');
    await expect(doctor.check('Clock')).toContainText('agrees with 3 others');
    await expect(doctor.check('Works offline')).toContainText('starts without its relay');

    const report = await doctor.copied();
    expect(report).toContain('[OK] Relay over HTTP');
    for (const secret of [new URL(invite).hash.slice('#join='.length), relay.line.token]) {
      expect(report).not.toContain(secret);
    }
    await doctor.check('Direct or relayed').getByText('Details').click();
    await expectAccessible(a.page, 'doctor, well, light', testInfo);
    await a.page.setViewportSize({ width: 360, height: 740 });
    await a.page.emulateMedia({ colorScheme: 'dark' });
    await expectAccessible(a.page, 'doctor, well, narrow and dark', testInfo);
    const sideways = await a.page.getByRole('main').evaluate((main) => main.scrollWidth - main.clientWidth);
    expect(sideways, 'main scrolls sideways at 360 px').toBe(0);
  });

  test('names the relay while it is gone, and finds it well when it is back', async ({ relay, device }, testInfo) => {
    const { page, expectProblem } = await device('A', {});
    expectProblem(/WebSocket|ERR_CONNECTION_REFUSED|Failed to load resource|Failed to fetch/);
    const shell = await joinByInvite(page, relay.line.invite ?? '');
    await shell.readyForOffline();
    await shell.mesh();
    const doctor = new Doctor(page);
    const host = new URL(relay.line.app).host;
    await relay.stop();
    await expect(shell.connection).toHaveAccessibleName('Connection: Offline');

    // the pill names the trouble, and leads to who looks for its reason
    await shell.go('Search');
    await shell.connection.click();
    await doctor.done();
    await expect(doctor.card).toBeInViewport();
    expect(await doctor.titles('Failed')).toEqual([
      'Relay over HTTP',
      'Connection to the relay',
      'Reservation at the relay',
      'Members seen',
    ]);
    await expect(doctor.card.getByRole('status')).toContainText('4 checks failed: Relay over HTTP');
    await expect(doctor.check('Relay over HTTP')).toContainText(`${host} does not answer`);
    await expect(doctor.check('Connection to the relay')).toContainText(`${host} does not answer`);
    await expect(doctor.check('Works offline')).toContainText('OK');
    await expect(doctor.check('Storage')).toContainText('OK');
    await expectAccessible(page, 'doctor, relay gone', testInfo);
    // one who looks elsewhere meanwhile finds the report again
    await shell.go('Tools');
    await shell.mesh();
    await expect(doctor.check('Relay over HTTP')).toContainText('Failed');

    await relay.restart();
    await expect(shell.connection).toHaveAccessibleName('Connection: Direct', { timeout: 30_000 });
    await doctor.run();
    expect(await doctor.titles('Failed')).toEqual([]);
    await expect(doctor.check('Reservation at the relay')).toContainText('OK');
  });

  test('is a tool with the same report', async ({ relay, device }) => {
    const { page } = await device('A', {});
    const shell = await joinByInvite(page, relay.line.invite ?? '');
    const tool = await shell.tool('Check the connection');
    await tool.run();
    await expect(tool.answer).toContainText('14 items', { timeout: 20_000 });
    await expect(tool.answer).toContainText(/status\s*ok/);
  });
});
