import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { toTabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { wholeNumber } from '../fields.ts';
import { DEGRADED, failed } from './answer.ts';
import { flag, multiaddr, peerId, STICKY, timeoutSeconds } from './fields.ts';
import { PROTOCOL_VERSION } from './protocol-version.ts';
import { connected } from './schemas.ts';

const MAX_TIMEOUT_SECONDS = 60;
const MAX_RETRIES = 5;
/** all tries at their longest, with the pauses between */
const TIMEOUT_MS = (MAX_RETRIES * (MAX_TIMEOUT_SECONDS + 1) + 5) * 1000;
/** 64 bits: no two links of a room are called the same */
const CONNECTION_ID_CHARS = 16;

/** Link to a peer. */
export const peerConnect = defineTool({
  name: 'peer_connect',
  category: 'peers',
  title: 'Connect to a peer',
  description:
    'Links this peer to another one at a known address and waits until that has proven to be a member of the room. Peers of ' +
    'a room find each other by themselves; use it for one that no relay introduces. A stranger at the address is refused.',
  access: 'admin',
  runtime: 'auto',
  idempotent: true,
  requiresP2p: true,
  sticky: STICKY,
  openWorld: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    peer_id: peerId,
    multiaddr,
    timeout: timeoutSeconds(30, MAX_TIMEOUT_SECONDS, 'how long one try may take'),
    retry_count: wholeNumber(1, MAX_RETRIES, 3, 'tries at most, a second apart'),
    persist: flag(true, 'remembers the address, and links again when the link is lost'),
  }),
  output: connected,
  async run({ ports: { network }, signal }, { peer_id, multiaddr, timeout, retry_count, persist }) {
    const ids = { peer_id, multiaddr };
    if (!network.available()) return { ...DEGRADED, ...ids };
    try {
      const { peer, attempts, tookMs } = await network.connect(
        { peer: peer_id as PeerId, multiaddr, timeoutMs: timeout * 1000, attempts: retry_count, persist },
        signal,
      );
      return {
        success: true,
        ...ids,
        connection_id: bytesToHex(sha256(utf8ToBytes(peer_id + multiaddr))).slice(0, CONNECTION_ID_CHARS),
        connection_time: tookMs / 1000,
        protocol_version: PROTOCOL_VERSION,
        peer_capabilities: [...peer.capabilities],
        persist,
        attempts,
      };
    } catch (thrown) {
      const { attempts } = toTabmeshError(thrown).details;
      return { ...failed(thrown, signal), ...ids, ...(typeof attempts === 'number' && { attempts }) };
    }
  },
});
