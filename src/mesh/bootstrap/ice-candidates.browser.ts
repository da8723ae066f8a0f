import type { IceCandidate, IceCandidates, IceGathering } from '../../contracts/bootstrap.ts';
import type { IceServer } from '../../contracts/relay.ts';
import { TabmeshError } from '../../lib/errors.ts';

/** Gathers as the page's own connections do, with a data channel that is never opened. */
export const browserIceCandidates: IceCandidates = {
  gather: (stun, signal) => gatherIce(stun.length === 0 ? [] : [{ urls: stun }], signal),
};

/**
 * ICE candidates by way of these STUN and TURN servers.
 * @throws `unsupported` where there is no WebRTC; what RTCPeerConnection throws for a server that it does not understand
 */
export async function gatherIce(servers: readonly IceServer[], signal: AbortSignal): Promise<IceGathering> {
  if (typeof RTCPeerConnection === 'undefined') {
    throw new TabmeshError('unsupported', 'there is no WebRTC here');
  }
  signal.throwIfAborted();
  const connection = new RTCPeerConnection({
    iceServers: servers.map((server) => ({ ...server, urls: [...server.urls] })),
  });
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const stop = () => reject(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const candidates: IceCandidate[] = [];
    const silent = new Set<string>();
    connection.addEventListener('icecandidate', ({ candidate }) => {
      const read = candidate === null ? undefined : readCandidate(candidate);
      if (read !== undefined) candidates.push(read);
    });
    connection.addEventListener('icecandidateerror', ({ url }) => silent.add(url));
    connection.addEventListener('icegatheringstatechange', () => {
      if (connection.iceGatheringState === 'complete') resolve(undefined);
    });
    connection.createDataChannel('');
    await connection.setLocalDescription();
    await promise;
    return { candidates, answered: Math.max(0, servers.flatMap(({ urls }) => urls).length - silent.size) };
  } finally {
    signal.removeEventListener('abort', stop);
    connection.close();
  }
}

/** undefined for what browsers leave open: the end of candidates */
function readCandidate(candidate: RTCIceCandidate): IceCandidate | undefined {
  const { type, protocol, address, port, relatedAddress, relatedPort } = candidate;
  if (type === null || protocol === null || address === null || port === null) return undefined;
  return { type, protocol, address, port, relatedAddress, relatedPort };
}
