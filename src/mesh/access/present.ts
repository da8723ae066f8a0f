import type { Connection, Stream } from '@libp2p/interface';
import type { IceServer } from '../../contracts/relay.ts';
import { PROTOCOLS } from '../../contracts/versions.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import type { JoinChannel } from '../membership/join.ts';
import { messageChannel } from '../membership/message-channel.ts';
import { NONCE_BYTES } from '../membership/proof.ts';
import { accessSecrets } from './key.ts';
import type { AccessRefusal } from './messages.ts';
import { ACCESS_VERSIONS, decodeAccessAnswer, encodeAccess, MAX_ACCESS_MESSAGE_BYTES } from './messages.ts';
import { accessProof } from './proof.ts';

/** What a relay lets a peer do, besides using it. */
export interface AccessGrant {
  /** STUN and TURN servers */
  readonly ice: readonly IceServer[];
  /** how long their credentials hold from now; null: for good */
  readonly iceTtlMs: number | null;
}

/**
 * Presents a relay's access key on a connection to it. A peer without one asks all the same: a relay may be open.
 * @param self this peer's id
 * @param key 16 bytes, or null
 * @throws `unauthorized` when the relay wants another key; `version_mismatch`, `protocol_error`
 */
export async function presentAccess(
  connection: Connection,
  self: PeerId,
  key: Uint8Array | null,
  signal: AbortSignal,
): Promise<AccessGrant> {
  const stream = await openStream(connection, signal);
  const channel = messageChannel(stream, MAX_ACCESS_MESSAGE_BYTES, signal);
  const peers = { client: self, relay: connection.remotePeer.toString() as PeerId };
  const grant = await runAccess(channel, peers, key);
  await channel.close();
  return grant;
}

async function openStream(connection: Connection, signal: AbortSignal): Promise<Stream> {
  try {
    return await connection.newStream(PROTOCOLS.access, { signal });
  } catch (cause) {
    if ((cause as Error).name !== 'UnsupportedProtocolError') throw cause;
    throw new TabmeshError('version_mismatch', 'this relay is of another version', { hint: 'Update both.', cause });
  }
}

/** The peer's side of the access protocol. See {@link presentAccess}. */
export async function runAccess(
  channel: JoinChannel,
  { client, relay }: { readonly client: PeerId; readonly relay: PeerId },
  key: Uint8Array | null,
): Promise<AccessGrant> {
  const secrets = key === null ? null : accessSecrets(key);
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const { min: minVersion, max: maxVersion } = ACCESS_VERSIONS;
  await channel.write(encodeAccess({ type: 'hello', minVersion, maxVersion, key: secrets?.id ?? null, nonce }));
  let answer = decodeAccessAnswer(await channel.read());
  if (answer.type === 'challenge' && secrets !== null) {
    const { version, nonce: relayNonce } = answer;
    if (version < minVersion || version > maxVersion) throw unexpected();
    const mac = accessProof(secrets, { version, id: secrets.id, client, relay, clientNonce: nonce, relayNonce });
    await channel.write(encodeAccess({ type: 'proof', mac }));
    answer = decodeAccessAnswer(await channel.read());
  }
  if (answer.type === 'refused') throw refused(answer, key !== null);
  if (answer.type !== 'welcome') throw unexpected();
  return { ice: answer.ice, iceTtlMs: answer.iceTtlMs };
}

/** In our words: what the relay says is for the details. */
function refused({ code, reason }: AccessRefusal, hadKey: boolean): TabmeshError {
  const details = { reason };
  if (code !== 'unauthorized') {
    return new TabmeshError(code, 'this relay and this app do not understand each other', {
      hint: 'Update both.',
      details,
    });
  }
  const what = hadKey ? 'this relay no longer takes the access key it has given' : 'this relay wants its access key';
  return new TabmeshError('unauthorized', `${what}: ask for a new invite`, {
    hint: 'Ask a member, or whoever runs the relay, for a new invite link and open it.',
    details,
  });
}

function unexpected(): TabmeshError {
  return new TabmeshError('protocol_error', 'the relay answered out of turn');
}
