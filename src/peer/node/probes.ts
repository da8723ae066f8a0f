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
  /** STUN urls; none by default */
  readonly stun: readonly string[];
  /** the relay that runs in this process; null when there is none */
  readonly ownRelay: PeerId | null;
  readonly now: () => number;
}): PlatformProbes {
  const { folder, stun, ownRelay, now } = options;
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
    iceServers: () => stun.map((url) => ({ urls: [url] })),
    ice: (servers, signal) =>
      stun.length === 0
        ? Promise.resolve({ skip: 'This peer uses no WebRTC: others connect to its address.' })
        : nodeIceCandidates.gather(
            servers.flatMap(({ urls }) => urls),
            signal,
          ),
    async storage() {
      const { bsize, blocks, bavail } = await statfs(folder);
      return { usedBytes: (blocks - bavail) * bsize, quotaBytes: blocks * bsize, persisted: true };
    },
    secrets: () => [],
  };
}
