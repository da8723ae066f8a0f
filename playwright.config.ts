import { defineConfig } from '@playwright/test';
import { findChromium } from './scripts/chromium.ts';

const executablePath = findChromium();
/** Nothing listens on this port (discard): whatever is not loopback ends there at once. */
const DEAD_PROXY = 'http://127.0.0.1:9';

const WITHOUT = [
  // mDNS names of ICE candidates need a responder that no container has
  'WebRtcHideLocalIpsWithMdns',
  // two pages of the address bar, loaded ahead for every window: a second of computing each time, and nobody sees them
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
];

/** `npm run test:long` counts beside `npm run test:e2e`, not instead of it. */
const results = process.argv.includes('--grep') ? 'long' : 'e2e';

export default defineConfig({
  testDir: 'e2e',
  // builds the app when it is stale, and installs a Chromium when there is none
  globalSetup: './e2e/support/prepare.ts',
  outputDir: 'test-results',
  reporter: [['list'], ['json', { outputFile: `.cache/results/${results}.json` }]],
  // one test keeps half of a core busy: it mostly waits for connections to be made and to be given up
  workers: 2,
  fullyParallel: true,
  // a test that needs a second try is broken
  retries: 0,
  forbidOnly: process.env['CI'] !== undefined,
  // several times what the longest takes, for slower machines
  timeout: 120_000,
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
        `--disable-features=${WITHOUT.join()}`,
        // loopback goes direct by default, so only what would leave the machine meets this
        `--proxy-server=${DEAD_PROXY}`,
      ],
    },
  },
});
