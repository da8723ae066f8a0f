import type { Connection, Libp2p } from '@libp2p/interface';
import { PROTOCOLS } from '../../contracts/versions.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { DeviceId, PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import { messageChannel } from '../membership/message-channel.ts';
import {
  decodeEpochRequest,
  decodeGrant,
  encodeEpochRequest,
  encodeGrant,
  encodePutOut,
  encodeRefusal,
  isPutOutNotice,
  MAX_EPOCH_MESSAGE_BYTES,
} from './epoch-messages.ts';
import type { RoomEpochs } from './room-epochs.ts';

/** A certificate is checked and a list is sent: as long as a proof may take. */
const EXCHANGE_TIMEOUT_MS = 5_000;

export interface EpochExchangeOptions {
  readonly epochs: RoomEpochs;
  /** the device's word for this peer */
  readonly certificate: Uint8Array;
  /** @throws when the certificate is not the peer's */
  readonly verifyCertificate: (certificate: Uint8Array, peer: PeerId) => Promise<DeviceId>;
  readonly log: Log;
}

/**
 * `/tabmesh/epoch/1`: a device that is behind fetches the room's present secret from a member. It speaks on a connection
 * that has not proven membership, since only with the secret can it do that; the proof here is its device's key.
 */
export class EpochExchange {
  readonly #options: EpochExchangeOptions;
  #refusal: string | null = null;

  constructor(options: EpochExchangeOptions) {
    this.#options = options;
  }

  /** What the last member that knows a newer epoch said instead of giving it; null while none has refused. */
  get refusal(): string | null {
    return this.#refusal;
  }

  /** A member has let this device in: whatever was said before is void. */
  admitted(): void {
    this.#refusal = null;
  }

  /** Begins to answer. @param isProven whether the other end of a connection has proven the present secret */
  async start(node: Libp2p, isProven: (connection: Connection) => boolean): Promise<void> {
    await node.handle(
      PROTOCOLS.epoch,
      async (stream, connection) => {
        const { epochs, verifyCertificate, log } = this.#options;
        const peer = connection.remotePeer.toString() as PeerId;
        const channel = messageChannel(stream, MAX_EPOCH_MESSAGE_BYTES, AbortSignal.timeout(EXCHANGE_TIMEOUT_MS));
        try {
          const asked = await channel.read();
          if (isPutOutNotice(asked)) {
            this.#refusal = 'an owner has put this device out of the room';
            log.warn('put out', { by: peer });
            await channel.close();
            return;
          }
          const device = await verifyCertificate(decodeEpochRequest(asked), peer);
          await channel.write(encodeGrant(epochs.grant(device, isProven(connection))));
        } catch (error) {
          log.warn('refused', { peer, protocol: PROTOCOLS.epoch, reason: (error as Error).message });
          await channel.write(encodeRefusal()).catch(() => undefined); // it may be why we refuse that it is gone
        }
        await channel.close().catch(() => undefined); // the same
      },
      { maxInboundStreams: 1, runOnLimitedConnection: true },
    );
  }

  /** Tells the other end of a connection, which has proven the secret, that it was put out. Best effort; never rejects. */
  async tellPutOut(connection: Connection): Promise<void> {
    const signal = AbortSignal.timeout(EXCHANGE_TIMEOUT_MS);
    try {
      const stream = await connection.newStream(PROTOCOLS.epoch, { runOnLimitedConnection: true, signal });
      const channel = messageChannel(stream, MAX_EPOCH_MESSAGE_BYTES, signal);
      await channel.write(encodePutOut());
      // it closes when it has read it, and so does one of an older version, which does not understand
      await channel.read();
    } catch {
      // that it closes; or it does not listen, and finds no link then
    }
  }

  /**
   * For a join that failed on a connection. Of the same epoch as ours something new is there only when two owners have
   * changed the secret at once; a stranger is not asked.
   */
  async afterJoin(connection: Connection, theirs: number): Promise<boolean> {
    const { epochs } = this.#options;
    if (theirs === epochs.secret.epoch && epochs.roster === null) return false;
    return await this.catchUp(connection);
  }

  /**
   * Asks the other end of a connection for the present epoch and takes it over.
   * @returns whether there was something new
   * @throws `not_a_member` when this device is not on the list, `unauthorized` when the answer is forged
   */
  async catchUp(connection: Connection): Promise<boolean> {
    const { epochs, certificate } = this.#options;
    const signal = AbortSignal.timeout(EXCHANGE_TIMEOUT_MS);
    const stream = await connection.newStream(PROTOCOLS.epoch, { runOnLimitedConnection: true, signal });
    const channel = messageChannel(stream, MAX_EPOCH_MESSAGE_BYTES, signal);
    await channel.write(encodeEpochRequest(certificate));
    try {
      const grant = decodeGrant(await channel.read());
      await channel.close();
      const news = await epochs.accept(grant);
      this.#refusal = null;
      return news;
    } catch (error) {
      if (error instanceof TabmeshError && error.code === 'not_a_member') this.#refusal = error.message;
      throw error;
    }
  }
}
