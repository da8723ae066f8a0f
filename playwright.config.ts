import { defineConfig } from '@playwright/test';
import { findChromium } from './scripts/chromium.ts';

const executablePath = findChromium();
/** Nothing listens on this port (discard): whatever is not loopback ends there at once. */
const DEAD_PROXY = 'http://127.0.0.1:9';

/** `npm run test:long` counts beside `npm run test:e2e`, not instead of it. */
const results = process.argv.includes('--grep') ? 'long' : 'e2e';

export default defineConfig({
  testDir: 'e2e',
  // builds the app when it is stale, and installs a Chromium when there is none
  globalSetup: './e2e/support/prepare.ts',
  outputDir: 'test-results',
  reporter: [['list'], ['json', { outputFile: `.cache/results/${results}.json` }]],
  // two cores hold one relay and three WebRTC tabs, not twice that; a test that needs a second try is broken
  workers: 1,
  retries: 0,
  forbidOnly: process.env['CI'] !== undefined,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  use: {
    // copies of the document after every step would be a seventh of all the work; `--trace on` makes them for one test
    trace: { mode: 'retain-on-failure', snapshots: false },
    launchOptions: {
      ...(executablePath === undefined ? {} : { executablePath }),
      args: [
        // containers and CI: no user namespaces, and often root
        '--no-sandbox',
        '--disable-quic',
        '--disable-background-networking',
        '--disable-component-update',
        // mDNS names of ICE candidates need a responder that no container has
        '--disable-features=WebRtcHideLocalIpsWithMdns',
        // loopback goes direct by default, so only what would leave the machine meets this
        `--proxy-server=${DEAD_PROXY}`,
      ],
    },
  },
});
