import type { IceCandidates, IceGathering, Reachability } from '../../contracts/bootstrap.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { isPublicIp } from './ip-address.ts';
import { classifyNat } from './nat-type.ts';

/**
 * How this device is seen from outside, from its ICE candidates.
 * @param stun urls, as of now; without any nothing calls out, and little is known
 */
export function iceReachability(ice: IceCandidates, stun: () => readonly string[], log: Log): Reachability {
  let gathering: Promise<IceGathering> | undefined;
  /** one gathering for both questions when they are asked together */
  const gather = async (signal: AbortSignal): Promise<IceGathering> => {
    gathering ??= ice.gather(stun(), signal).finally(() => {
      gathering = undefined;
    });
    try {
      return await gathering;
    } catch (thrown) {
      log.info('no ICE candidates', { reason: toTabmeshError(thrown).message });
      return { candidates: [], answered: 0 };
    }
  };
  return {
    natType: async (signal) => classifyNat(await gather(signal)),
    publicAddress: async (signal) => {
      const { candidates } = await gather(signal);
      const seen = candidates.find(({ type }) => type === 'srflx');
      return seen?.address ?? candidates.find(({ address }) => isPublicIp(address))?.address ?? null;
    },
  };
}
