import { TabmeshError } from '../../src/lib/errors.ts';
import type { RoomId } from '../../src/lib/ids.ts';
import type { ExtraMethod } from '../../src/mesh/rpc/mcp-server.ts';
import { RELAY_METHODS } from '../../src/peer/room/relay-services.ts';
import type { RelayPeersOptions } from '../peers.ts';

/** What members may ask of this relay beside MCP: tickets, and the tokens of their own AI clients. */
export function memberMethods(
  { issueTicket, tokens }: Pick<RelayPeersOptions, 'issueTicket' | 'tokens'>,
  room: RoomId,
): Readonly<Record<string, ExtraMethod>> {
  return {
    [RELAY_METHODS.ticket]: (_params, { device }) => Promise.resolve(issueTicket({ room, device })),
    [RELAY_METHODS.token]: ({ _meta: _, ...request }, { device }) => {
      if (Array.isArray(request['classes']) && request['classes'].includes('admin')) {
        throw new TabmeshError('forbidden', 'a member has no right to administer this relay, and can give none');
      }
      return tokens.create({ room, device }, request);
    },
    [RELAY_METHODS.tokens]: (_params, { device }) => Promise.resolve({ tokens: tokens.list(device) }),
    [RELAY_METHODS.revokeToken]: async ({ id }, { device }) => {
      if (typeof id !== 'string') throw new TabmeshError('invalid_input', 'id: expected the id of a token');
      await tokens.revoke(id, device);
      return {};
    },
  };
}
