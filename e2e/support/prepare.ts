import { buildApp } from '../../scripts/build-app.ts';
import { buildRelay } from '../../scripts/build-relay.ts';
import { ensureChromium } from '../../scripts/chromium.ts';

/** Playwright's global setup: what every test needs, once. */
export default async function prepare(): Promise<void> {
  ensureChromium();
  if ((await buildApp({ force: false })) !== 0) throw new Error('the app could not be built');
  if ((await buildRelay({ force: false })) !== 0) throw new Error('the relay could not be built');
}
