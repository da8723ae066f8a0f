// Prints one line with what all test runs since the last `--clear` counted, as `12 passed, 0 failed, 3 skipped`.
import { glob, readFile, rm } from 'node:fs/promises';

/** Where the JSON reporters of Vitest and Playwright write. */
const RESULTS = '.cache/results';

interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  /** files that could not even be loaded count no test */
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

interface PlaywrightReport {
  readonly stats: {
    readonly expected: number;
    readonly unexpected: number;
    readonly flaky: number;
    readonly skipped: number;
  };
  /** errors outside any test, such as a failed global setup */
  readonly errors: readonly unknown[];
}

function totalsOf(report: VitestReport | PlaywrightReport): Totals {
  if ('stats' in report) {
    const { expected, unexpected, flaky, skipped } = report.stats;
    return { passed: expected, failed: unexpected + flaky + report.errors.length, skipped };
  }
  const broken = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

if (process.argv.includes('--clear')) {
  await rm(RESULTS, { recursive: true, force: true });
} else {
  let sum: Totals = { passed: 0, failed: 0, skipped: 0 };
  for await (const file of glob(`${RESULTS}/*.json`)) {
    const { passed, failed, skipped } = totalsOf(
      JSON.parse(await readFile(file, 'utf8')) as VitestReport | PlaywrightReport,
    );
    sum = { passed: sum.passed + passed, failed: sum.failed + failed, skipped: sum.skipped + skipped };
  }
  console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
}
