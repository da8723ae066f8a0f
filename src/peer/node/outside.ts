import type { PeerRegistry } from '../../contracts/discovery.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { nodeIceCandidates } from '../../mesh/bootstrap/ice-candidates.node.ts';
import { iceReachability } from '../../mesh/bootstrap/ice-reachability.ts';
import type { AddressService } from '../../mesh/bootstrap/public-address.node.ts';
import { PublicAddress } from '../../mesh/bootstrap/public-address.node.ts';
import { GithubIssues } from '../../mesh/discovery/github-api.ts';
import { GithubRegistry } from '../../mesh/discovery/github-registry.ts';
import { LocalRegistry } from '../../mesh/discovery/local-registry.ts';
import type { RecordStore } from '../../mesh/discovery/record-store.ts';
import { currentSeal } from '../../mesh/discovery/seal.ts';
import type { RoomSecret } from '../../mesh/identity/room-secret.ts';
import type { DiscoveryPlatform } from '../room/room-network.ts';

/** Services outside the room that a headless peer may use. None by default: nothing phones home unless its owner says so. */
export interface OutsideServices {
  /** urls of STUN servers; two tell the type of NAT */
  readonly stun?: readonly string[];
  /** asked in this order under which address the internet sees this host */
  readonly addressServices?: readonly AddressService[];
  /** the repository in whose issues members find each other */
  readonly github?: {
    readonly owner: string;
    readonly repo: string;
    readonly token: string;
    readonly baseUrl?: string;
  };
}

/** How a headless peer finds others, besides what every peer has. @param known where this device remembers members */
export function headlessDiscovery(
  known: RecordStore,
  { stun = [], addressServices = [], github }: OutsideServices,
  secret: () => RoomSecret,
  clock: Clock,
  log: Log,
): Omit<DiscoveryPlatform, 'namedHosts'> {
  const registries: PeerRegistry[] = [new LocalRegistry('local_file', known, clock)];
  if (github !== undefined) {
    const issues = new GithubIssues({ ...github, fetch, clock });
    registries.push(new GithubRegistry({ issues, seal: currentSeal(secret), clock }));
  }
  const ice = iceReachability(nodeIceCandidates, () => stun, log);
  const services = new PublicAddress({ services: addressServices, fetch, clock, log });
  return {
    registries,
    asksOutside: () => stun.length > 0 || addressServices.length > 0,
    reachability: {
      natType: (signal) => ice.natType(signal),
      publicAddress: async (signal) => (await services.find(signal)) ?? (await ice.publicAddress(signal)),
    },
  };
}
