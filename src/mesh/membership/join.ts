import type { Proven } from '../rpc/member-links.ts';
import type { DeviceId, PeerId, RoomId } from '../../lib/ids.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { agreeVersion, decodeHello, decodeIdentity, decodeProof, encodeJoin, JOIN_VERSIONS } from './join-messages.ts';
import type { Hello, Identity } from './join-messages.ts';
import type { JoinTranscript, Role } from './proof.ts';
import { computeProof, equalConstantTime, NONCE_BYTES } from './proof.ts';

/** A duplex of whole messages; `read` rejects when the other side closes or the signal fires. */
export interface JoinChannel {
  write(bytes: Uint8Array): Promise<void>;
  read(): Promise<Uint8Array>;
}

/** What a side brings into a join. */
export interface JoinSecrets {
  readonly room: RoomId;
  readonly epoch: number;
  readonly joinKey: Uint8Array;
  readonly identity: Omit<Identity, 'type'>;
  /** @throws when the certificate is not the peer's. Returns the device that signed it */
  verifyCertificate(certificate: Uint8Array, peer: PeerId): Promise<DeviceId>;
}

/**
 * The join protocol, one side of it: hello ⇄ hello, proof ⇄ proof, identity ⇄ identity. The responder says nothing that
 * depends on the secret before the initiator has proven that it knows it.
 * @param peers ids as authenticated by the connection
 * @param onEpoch told the other side's epoch as soon as it has said it
 * @throws `not_a_member` when the other side's proof is wrong, `protocol_error`, `version_mismatch`
 */
export async function runJoin(
  role: Role,
  channel: JoinChannel,
  peers: { readonly self: PeerId; readonly remote: PeerId },
  secrets: JoinSecrets,
  onEpoch: (theirs: number) => void = () => undefined,
): Promise<Proven> {
  const ours: Hello = {
    type: 'hello',
    minVersion: JOIN_VERSIONS.min,
    maxVersion: JOIN_VERSIONS.max,
    epoch: secrets.epoch,
    nonce: crypto.getRandomValues(new Uint8Array(NONCE_BYTES)),
  };
  let theirs: Hello;
  if (role === 'initiator') {
    await channel.write(encodeJoin(ours));
    theirs = decodeHello(await channel.read());
  } else {
    theirs = decodeHello(await channel.read());
    await channel.write(encodeJoin(ours));
  }
  const version = agreeVersion(theirs);
  onEpoch(theirs.epoch);
  if (equalConstantTime(ours.nonce, theirs.nonce)) throw refused('the nonce is ours, sent back');
  if (theirs.epoch !== secrets.epoch)
    throw refused(theirs.epoch < secrets.epoch ? 'its secret is an older one' : 'our secret is an older one');

  const transcript: JoinTranscript = {
    room: secrets.room,
    epoch: secrets.epoch,
    version,
    initiator: role === 'initiator' ? peers.self : peers.remote,
    responder: role === 'initiator' ? peers.remote : peers.self,
    initiatorNonce: role === 'initiator' ? ours.nonce : theirs.nonce,
    responderNonce: role === 'initiator' ? theirs.nonce : ours.nonce,
  };
  const other: Role = role === 'initiator' ? 'responder' : 'initiator';
  const sendProof = () =>
    channel.write(encodeJoin({ type: 'proof', mac: computeProof(secrets.joinKey, transcript, role) }));
  const checkProof = async () => {
    const { mac } = decodeProof(await channel.read());
    if (!equalConstantTime(mac, computeProof(secrets.joinKey, transcript, other))) {
      throw refused('the proof does not match the room');
    }
  };
  const sendIdentity = () => channel.write(encodeJoin({ type: 'identity', ...secrets.identity }));
  const readIdentity = async () => decodeIdentity(await channel.read());

  let identity: Identity;
  if (role === 'initiator') {
    await sendProof();
    await checkProof();
    identity = await readIdentity();
    await sendIdentity();
  } else {
    await checkProof();
    await sendProof();
    await sendIdentity();
    identity = await readIdentity();
  }
  const device = await secrets.verifyCertificate(identity.certificate, peers.remote);
  return { peer: peers.remote, device, kind: identity.kind, protocols: identity.protocols, version };
}

function refused(why: string): TabmeshError {
  return new TabmeshError('not_a_member', `membership not proven: ${why}`, {
    hint: 'Ask a member for a new invite.',
  });
}
