import type { CallOptions, CallRequest, CallResult } from '../../contracts/tools.ts';
import type { RoomPeer } from '../room/room-peer.ts';

/**
 * Calls a tool, and shows the grant that this device was given for it where the call names a place. A grant that is refused
 * there, because it is used up or revoked, is as none: the call is made without it, and the person there is asked.
 */
export async function callWithGrants(
  peer: Pick<RoomPeer, 'access' | 'mesh' | 'tools'>,
  request: CallRequest,
  options: CallOptions,
): Promise<CallResult> {
  const at = peer.mesh.peers().find(({ peer: id, link }) => id === request.place && link !== 'self');
  const grants = at === undefined ? null : await peer.access.grantFor(at.device, request.tool, request.args);
  if (grants === null) return await peer.tools.call(request, options);
  const outcome = await peer.tools.call({ ...request, credentials: { grants } }, options);
  // decided before anything has run, so the call can be made again
  const isRefused = !outcome.ok && outcome.error.code === 'forbidden' && 'verdict' in outcome.error.details;
  return isRefused ? await peer.tools.call(request, options) : outcome;
}
