// `npm run conformance [relay|tab|room] [REVISION]`: the official conformance suite against fixtures in the relay's own peer,
// and in a real browser tab behind it; and what of it needs no fixtures against the room as it is.
import { chromium, expect } from '@playwright/test';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { ensureChromium } from '../../scripts/chromium.ts';
import { createFixtureProvider } from './fixtures/provider.ts';
import { startProxy } from './proxy.ts';
import { startHarnessRelay, type HarnessRelay } from './relay.ts';
import { runSuite, type SuiteResult } from './suite.ts';

const REVISIONS = ['2025-11-25', '2026-07-28'];
const CACHE = fileURLToPath(new URL('../../.cache/conformance', import.meta.url));
/** From opening the page to the relay's link to it; a busy machine takes a while. */
const JOIN_MS = 60_000;

const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
];

/** What of each revision needs no fixtures: the product's own tools, resources and prompts, and its HTTP. */
const WITHOUT_FIXTURES: Readonly<Record<string, readonly string[]>> = {
  '2025-11-25': [
    'server-initialize',
    'ping',
    'tools-list',
    'resources-list',
    'resources-subscribe',
    'resources-unsubscribe',
    'prompts-list',
    'server-sse-multiple-streams',
    'server-session-lifecycle',
    'dns-rebinding-protection',
  ],
  '2026-07-28': [
    'tools-list',
    'resources-list',
    'prompts-list',
    'caching',
    'sep-2164-resource-not-found',
    'server-sse-multiple-streams',
    'input-required-result-unsupported-methods',
    'http-header-validation',
    'dns-rebinding-protection',
  ],
};

interface Row extends SuiteResult {
  readonly where: string;
}

/** Runs the suite at the room (`peer` null) or at one peer, for every revision asked for. */
async function runAt(
  relay: HarnessRelay,
  where: string,
  peer: string | null,
  revisions: readonly string[],
): Promise<Row[]> {
  const proxy = await startProxy(relay.endpoint(peer), relay.token);
  try {
    const rows: Row[] = [];
    for (const revision of revisions) {
      const only = peer === null ? WITHOUT_FIXTURES[revision] : undefined;
      rows.push({ where, ...(await runSuite(proxy.url, revision, `${CACHE}/${where}-${revision}`, only)) });
    }
    return rows;
  } finally {
    proxy.close();
  }
}

async function atRelay(revisions: readonly string[]): Promise<Row[]> {
  const relay = await startHarnessRelay({ mcp: createFixtureProvider(), appFolder: `${CACHE}/none` });
  try {
    return await runAt(relay, 'relay', relay.gateway.self, revisions);
  } finally {
    await relay.close();
  }
}

async function inRoom(revisions: readonly string[]): Promise<Row[]> {
  const relay = await startHarnessRelay({ appFolder: `${CACHE}/none` });
  try {
    return await runAt(relay, 'room', null, revisions);
  } finally {
    await relay.close();
  }
}

async function inTab(revisions: readonly string[]): Promise<Row[]> {
  await build({ configFile: fileURLToPath(new URL('tab/vite.config.ts', import.meta.url)) });
  const relay = await startHarnessRelay({ appFolder: `${CACHE}/tab` });
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: CHROMIUM_ARGS });
  try {
    const page = await browser.newPage();
    page.on('console', (message) => {
      // the page has no icon
      if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico'))
        process.stderr.write(`tab: ${message.text()}\n`);
    });
    page.on('pageerror', (error) => process.stderr.write(`tab: ${error.message}\n`));
    await page.goto(relay.invite);
    await page.waitForFunction(() => document.title.startsWith('12D3'), undefined, { timeout: JOIN_MS });
    const peer = await page.title();
    await expect.poll(() => relay.gateway.mcp.peers(), { timeout: JOIN_MS }).toContain(peer);
    return await runAt(relay, 'tab', peer, revisions);
  } finally {
    await browser.close();
    await relay.close();
  }
}

function report(rows: readonly Row[]): void {
  for (const { where, revision, notClean } of rows) {
    for (const { scenario, checks } of notClean) {
      console.log(`\n${where}, ${revision}: ${scenario}`);
      for (const check of checks) console.log(`  ${check.slice(0, 600)}`);
    }
  }
  console.log('\nserved by    revision    scored  scenarios  checks passed  failed  warnings  other');
  for (const { where, revision, passed, scenarios, checks } of rows) {
    const { SUCCESS = 0, FAILURE = 0, WARNING = 0, ...others } = checks;
    const other = Object.values(others).reduce((sum, count) => sum + count, 0);
    console.log(
      [
        where.padEnd(11),
        revision.padEnd(10),
        (passed ? 'pass' : 'FAIL').padEnd(6),
        String(scenarios).padStart(9),
        String(SUCCESS).padStart(13),
        String(FAILURE).padStart(6),
        String(WARNING).padStart(8),
        String(other).padStart(5),
      ].join('  '),
    );
  }
}

const wanted = process.argv.slice(2);
const revisions = REVISIONS.filter(
  (revision) => !wanted.some((arg) => REVISIONS.includes(arg)) || wanted.includes(revision),
);
const places = { relay: atRelay, tab: inTab, room: inRoom };
const rows: Row[] = [];
for (const [name, run] of Object.entries(places)) {
  if (wanted.some((arg) => arg in places) && !wanted.includes(name)) continue;
  rows.push(...(await run(revisions)));
}
report(rows);
const failed = rows.filter(({ passed }) => !passed);
for (const { where, revision, output } of failed) console.log(`\n${where}, ${revision}:\n${output.slice(-4_000)}`);
process.exitCode = failed.length === 0 && rows.length > 0 ? 0 : 1;
