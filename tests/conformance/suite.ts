import { spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A whole run takes seconds; one that takes minutes hangs. */
const RUN_MS = 180_000;

/** What one run of the suite came to. */
export interface SuiteResult {
  readonly revision: string;
  /** exit code 0: every scenario that counts passes */
  readonly passed: boolean;
  readonly checks: Readonly<Record<string, number>>;
  /** scenarios with a check that is not passed, scored or not */
  readonly notClean: readonly { readonly scenario: string; readonly checks: readonly string[] }[];
  readonly scenarios: number;
  readonly output: string;
}

interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

/**
 * Runs the official suite against an address.
 * @param folder where it writes what it saw
 * @param only these scenarios; all that the revision requires, and those that it only runs, when absent
 */
export async function runSuite(
  url: string,
  revision: string,
  folder: string,
  only?: readonly string[],
): Promise<SuiteResult> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const program = join(
    dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')),
    'dist/index.js',
  );
  const selections = only?.map((scenario) => ['--scenario', scenario, '--spec-version', revision]) ?? [
    ['--requirements', revision],
  ];
  let passed = true;
  let output = '';
  for (const selection of selections) {
    const ended = await run([program, 'server', '--url', url, ...selection, '-o', folder]);
    passed &&= ended.code === 0;
    output += ended.output;
  }
  const scenarios = await readScenarios(folder);
  const checks: Record<string, number> = {};
  for (const { status } of scenarios.flatMap((scenario) => scenario.checks)) checks[status] = (checks[status] ?? 0) + 1;
  const notClean = scenarios.flatMap(({ scenario, checks: all }) => {
    const bad = all.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
    if (bad.length === 0) return [];
    return [{ scenario, checks: bad.map(({ id, status, errorMessage }) => `${status} ${id}: ${errorMessage ?? ''}`) }];
  });
  return { revision, passed, checks, notClean, scenarios: scenarios.length, output };
}

function run(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const take = (text: string) => {
    output += text;
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), RUN_MS);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}

async function readScenarios(folder: string): Promise<{ scenario: string; checks: readonly Check[] }[]> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('checks.json')).sort();
  return await Promise.all(
    files.map(async (file) => ({
      // the suite names the folder after the scenario and the time
      scenario: dirname(file).replace(/-\d{4}-\d{2}-\d{2}T.*$/, ''),
      checks: JSON.parse(await readFile(join(folder, file), 'utf8')) as readonly Check[],
    })),
  );
}
