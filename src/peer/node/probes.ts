import { statfs } from 'node:fs/promises';
import type { PlatformProbes } from '../../contracts/doctor.ts';
import type { PeerId } from '../../lib/ids.ts';
import { nodeIceCandidates } from '../../mesh/bootstrap/ice-candidates.node.ts';
import { askRelayHealth } from '../room/relay-health.ts';

const NO_PAGE = { skip: 'This peer is a process, not a page.' };

/**
 * What this process and its machine tell the doctor.
 * @param folder of the room's data
 */
export function nodeProbes(options: {
  readonly folder: string;
  /** STUN urls that tell how this host is seen from outside; none by default */
  readonly stun: readonly string[];
  /** those that its WebRTC uses; null when it has no WebRTC */
  readonly iceServers: (() => readonly RTCIceServer[]) | null;
  /** the relay that runs in this process; null when there is none */
  readonly ownRelay: PeerId | null;
  readonly now: () => number;
}): PlatformProbes {
  const { folder, stun, iceServers, ownRelay, now } = options;
  const inUse = () => iceServers?.() ?? [];
  // what gathers here speaks plain STUN, and no TURN
  const askable = () => [...stun, ...inUse().flatMap(({ urls }) => urls)].filter((url) => /^stun:/i.test(url));
  const noPage = () => Promise.resolve(NO_PAGE);
  return {
    network: () => Promise.resolve({ skip: 'A process is not told; see whether relays answer.' }),
    secureContext: noPage,
    serviceWorker: noPage,
    page: () => Promise.resolve({ skip: 'A process is not slowed down as a hidden page is.' }),
    localNetwork: noPage,
    relayHealth: (relay, signal) =>
      relay.peer === ownRelay
        ? Promise.resolve({ skip: 'The relay runs in this very process.' })
        : askRelayHealth(relay, (url, init) => fetch(url, init), now, signal),
    iceServers: () => [...new Set(askable())].map((url) => ({ urls: [url] })),
    ice: (servers, signal) =>
      stun.length === 0 && iceServers === null
        ? Promise.resolve({ skip: 'This peer uses no WebRTC: others connect to its address.' })
        : nodeIceCandidates.gather(
            servers.flatMap(({ urls }) => urls),
            signal,
          ),
    async storage() {
      const { bsize, blocks, bavail } = await statfs(folder);
      return { usedBytes: (blocks - bavail) * bsize, quotaBytes: blocks * bsize, persisted: true };
    },
    // what coturn takes for a user's name is half of its password
    secrets: () => inUse().flatMap(({ username, credential }) => [username ?? [], credential ?? []].flat()),
  };
}
