import type { PlatformProbes } from '../../contracts/doctor.ts';
import type { IceServer } from '../../contracts/relay.ts';
import { gatherIce } from '../../mesh/bootstrap/ice-candidates.browser.ts';
import { askRelayHealth } from '../room/relay-health.ts';
import type { PageCondition } from './page-condition.ts';

/** What the permission has been called: Chromium split it in two in 2026. */
const LOCAL_NETWORK = ['local-network-access', 'local-network', 'loopback-network'];

/** What this page and its browser tell the doctor. */
export function tabProbes(options: {
  readonly condition: PageCondition;
  /** in use now, as an `RTCConfiguration` names them */
  readonly iceServers: () => readonly RTCIceServer[];
  /** what no report may hold, besides what the ICE servers are opened with */
  readonly secrets: () => readonly string[];
  readonly now: () => number;
}): PlatformProbes {
  const { condition, now } = options;
  const iceServers = () => options.iceServers().map((server): IceServer => ({ ...server, urls: [server.urls].flat() }));
  return {
    network: () => Promise.resolve({ online: navigator.onLine }),
    secureContext: () => Promise.resolve({ secure: isSecureContext, origin: location.origin }),
    serviceWorker,
    page: () => Promise.resolve({ visible: document.visibilityState === 'visible', ...condition.read() }),
    localNetwork,
    relayHealth: (relay, signal) => askRelayHealth(relay, (url, init) => fetch(url, init), now, signal),
    iceServers,
    ice: gatherIce,
    async storage() {
      // absent where the page is not secure
      const { storage } = navigator as { readonly storage?: StorageManager };
      if (storage === undefined) return { skip: 'This page may not ask: it is not secure.' };
      const [{ usage, quota }, persisted] = await Promise.all([storage.estimate(), storage.persisted()]);
      return { usedBytes: usage ?? null, quotaBytes: quota ?? null, persisted };
    },
    // what coturn takes for a user's name is half of its password
    secrets: () => [
      ...options.secrets(),
      ...iceServers().flatMap(({ username, credential }) => [username ?? [], credential ?? []].flat()),
    ],
  };
}

const serviceWorker: PlatformProbes['serviceWorker'] = async () => {
  if (!isSecureContext) return { skip: 'Only a secure page has one.' };
  if (!('serviceWorker' in navigator)) return { state: 'unsupported', controls: false, waiting: false };
  const registration = await navigator.serviceWorker.getRegistration();
  const controls = navigator.serviceWorker.controller !== null;
  if (registration === undefined) return { state: 'none', controls, waiting: false };
  const { active, waiting } = registration;
  return { state: active === null ? 'installing' : 'active', controls, waiting: waiting !== null };
};

const localNetwork: PlatformProbes['localNetwork'] = async () => {
  // absent where the page is not secure
  const { permissions } = navigator as { readonly permissions?: Permissions };
  for (const name of LOCAL_NETWORK) {
    try {
      const status = await permissions?.query({ name: name as PermissionName });
      if (status !== undefined) return { permission: status.state, pageHost: location.host };
    } catch {
      // a name that this browser does not know
    }
  }
  return { skip: 'This browser has no such permission: it does not ask.' };
};
