import type { Browser, BrowserContext, BrowserContextOptions, Page } from '@playwright/test';
import { watchProblems } from './problems.ts';

/** A browser profile, with storage of its own, and a first tab in it. */
export interface Device {
  readonly name: string;
  readonly context: BrowserContext;
  /** its first tab */
  readonly page: Page;
  /** Lets problems that match pass: the test makes them on purpose. */
  expectProblem(pattern: RegExp): void;
  /** those that nobody expected */
  problems(): readonly string[];
}

/**
 * Makes a device.
 * @param options of the profile, such as `colorScheme`, `viewport`, `permissions`
 */
export async function makeDevice(browser: Browser, name: string, options: BrowserContextOptions): Promise<Device> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  const problems = watchProblems(context);
  return {
    name,
    context,
    page: await context.newPage(),
    expectProblem: (pattern) => {
      problems.expect(pattern);
    },
    problems: () => problems.unexpected(),
  };
}
