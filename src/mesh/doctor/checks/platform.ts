import type { Check } from '../finding.ts';
import { failed, isNotApplicable, ok, skipped, warning } from '../finding.ts';
import { isLocalHost } from '../local-host.ts';
import { hostOf } from '../relay-answers.ts';
import { listed, spellBytes } from '../words.ts';

/** Whether the device believes to have a network at all. */
export const checkNetwork: Check = async ({ probes }, signal) => {
  const answer = await probes.network(signal);
  if (isNotApplicable(answer)) return skipped(answer.skip);
  const { online } = answer;
  if (online) return ok('This device says that it has a network.', { online });
  return failed(
    'This device says that it has no network.',
    'Turn on Wi-Fi or plug in the cable. What is stored here can be used meanwhile.',
    { online },
  );
};

/** Without a secure context there is no service worker, no subtle crypto and no persistent storage (W3C Secure Contexts). */
export const checkSecureContext: Check = async ({ probes }, signal) => {
  const answer = await probes.secureContext(signal);
  if (isNotApplicable(answer)) return skipped(answer.skip);
  const { secure, origin } = answer;
  if (secure) return ok('The browser trusts this page.', { secure, origin });
  return failed(
    `The browser does not trust ${origin}: it is neither HTTPS nor this machine.`,
    'Open the app over https:// or at http://127.0.0.1. Whoever runs the relay can give it a certificate.',
    { secure, origin },
  );
};

/** Whether the app would start without its relay. */
export const checkServiceWorker: Check = async ({ probes }, signal) => {
  const answer = await probes.serviceWorker(signal);
  if (isNotApplicable(answer)) return skipped(answer.skip);
  const { state, controls, waiting } = answer;
  const details = { state, controls, update_waiting: waiting };
  switch (state) {
    case 'unsupported':
      return warning('This browser offers no service worker.', 'The app does not start without its relay.', details);
    case 'none':
      return warning(
        'The app is not stored in this browser.',
        'It does not start without its relay. Reload the page; a private window may forbid it.',
        details,
      );
    case 'installing':
      return ok('The app is being stored in this browser.', details);
    case 'active':
      return waiting
        ? ok('The app starts without its relay. A newer version is ready.', details, 'Reload to use it.')
        : ok('The app starts without its relay.', details);
  }
};

/** Share of the last seconds in which the page could not answer anybody. */
const BUSY_SHARE = 0.8;
/** Browsers and systems begin to save energy at about this level. */
const LOW_BATTERY = 0.2;

/** What makes a browser slow a page down: hidden, little power, too much to do. */
export const checkPage: Check = async ({ probes }, signal) => {
  const answer = await probes.page(signal);
  if (isNotApplicable(answer)) return skipped(answer.skip);
  const { visible, load, battery } = answer;
  const details = { visible, load, battery: battery === null ? null : { ...battery } };
  if (!visible) {
    return warning(
      'The page is hidden: browsers run its timers once a second, later once a minute, and may freeze it.',
      'Keep the tab in view, in a window of its own if need be, while others use this device.',
      details,
    );
  }
  if (battery !== null && !battery.charging && battery.level <= LOW_BATTERY) {
    return warning(
      `The battery is at ${String(Math.round(battery.level * 100))} %: the browser may slow this page down.`,
      'Plug the device in.',
      details,
    );
  }
  if (load !== null && load >= BUSY_SHARE) {
    return warning(
      `The page was busy for ${String(Math.round(load * 100))} % of the last seconds, and answers late.`,
      'Wait for what is going on here, or close other tabs.',
      details,
    );
  }
  return ok('The page is in view and not slowed down.', details);
};

/** Browsers ask before a page of the internet may reach this machine or its network (W3C Local Network Access). */
export const checkLocalNetwork: Check = async ({ probes }, signal) => {
  const answer = await probes.localNetwork(signal);
  if (isNotApplicable(answer)) return skipped(answer.skip);
  const { permission, pageHost } = answer;
  const local = probes
    .relays()
    .filter(({ ways }) => ways.every(({ host }) => isLocalHost(host)))
    .map(hostOf);
  const details = { permission, page_host: pageHost, local_relays: local };
  if (isLocalHost(pageHost) || local.length === 0) {
    return ok('Not needed: no relay of this room is behind that permission.', details);
  }
  const who = `This page comes from the internet, and ${listed(local)} is on the local network.`;
  switch (permission) {
    case 'granted':
      return ok(`${who} The browser allows it.`, details);
    case 'denied':
      return failed(
        `${who} The browser was told not to allow that.`,
        'Allow “local network” for this site in the browser’s site settings, or use a relay with a public wss:// address.',
        details,
      );
    case 'prompt':
      return warning(
        `${who} The browser will ask first.`,
        'Answer “Allow” when it asks, or use a relay with a public wss:// address.',
        details,
      );
  }
};

/** From here on a larger collection may fail. */
const NEARLY_FULL = 0.9;
const FULL = 0.98;

/** How much may still be stored, and whether it stays. */
export const checkStorage: Check = async ({ probes }, signal) => {
  const answer = await probes.storage(signal);
  if (isNotApplicable(answer)) return skipped(answer.skip);
  const { usedBytes, quotaBytes, persisted } = answer;
  const details = { used_bytes: usedBytes, quota_bytes: quotaBytes, persisted };
  const keeps = persisted ? '' : ' The browser may delete it when the device runs out of space.';
  if (usedBytes === null || quotaBytes === null || quotaBytes === 0) {
    return ok(`The browser does not tell how much may be stored.${keeps}`, details);
  }
  const share = usedBytes / quotaBytes;
  const reason = `${spellBytes(usedBytes)} of ${spellBytes(quotaBytes)} are used.${keeps}`;
  const advice = 'Delete datasets that nobody needs here, or free space on this device.';
  if (share >= FULL) return failed(`Full: ${reason}`, advice, details);
  if (share >= NEARLY_FULL) return warning(`Nearly full: ${reason}`, advice, details);
  return ok(reason, details);
};
