import type { Libp2p } from '@libp2p/interface';
import type { BlockStore } from '../../contracts/dataset.ts';
import { PROTOCOLS } from '../../contracts/versions.ts';
import type { Clock } from '../../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { CidString, PeerId } from '../../lib/ids.ts';
import type { Membership } from '../membership/membership.ts';
import { bytesLeft } from '../rpc/relayed.ts';
import { OPEN_MS, TRANSFERS_PER_LINK, TRANSFERS_SERVED } from './limits.ts';
import type { DatasetTree } from './ports.ts';
import type { ReceiveOptions } from './receive-dataset.ts';
import { receiveDataset } from './receive-dataset.ts';
import { sendDataset } from './send-dataset.ts';
import type { TransferProgress } from './store-queue.ts';

export interface TransfersOptions {
  readonly node: Libp2p;
  readonly membership: Membership;
  readonly tree: DatasetTree;
  /** this device's blocks */
  readonly local: BlockStore;
  readonly clock: Clock;
}

export interface FetchRequest extends Pick<ReceiveOptions, 'data' | 'offset' | 'signal' | 'onProgress'> {
  /** of the whole dataset, as far as it is known; 0 when it is not */
  readonly bytes: number;
}

/** `/tabmesh/transfer/1` with every member: whole datasets, each on a stream of its own beside the calls. */
export class Transfers {
  readonly #options: TransfersOptions;
  #served = 0;

  constructor(options: TransfersOptions) {
    this.#options = options;
  }

  /** Serves from now on. */
  async start(): Promise<void> {
    const { node, membership, tree, local, clock } = this.#options;
    await node.handle(
      PROTOCOLS.transfer,
      async (stream, connection) => {
        await membership.proven(connection);
        sendDataset(stream, connection, { tree, local, clock, within: (transfer) => this.#within(transfer) });
      },
      { maxInboundStreams: TRANSFERS_PER_LINK, runOnLimitedConnection: true },
    );
  }

  /**
   * Fetches a dataset's blocks, from `offset` on, from a member that holds them, and stores them here.
   * @throws `peer_unreachable` without a link, or without that protocol at the other end; `payload_too_large` when the link is
   *   relayed and has too little left; else as {@link receiveDataset}
   */
  async fetch(from: PeerId, request: FetchRequest): Promise<TransferProgress> {
    const { membership, tree, local, clock } = this.#options;
    const link = membership.linkTo(from);
    if (link === undefined) throw new TabmeshError('peer_unreachable', 'no link to this peer', { retryable: true });
    const left = bytesLeft(link.connection);
    if (left !== null && request.bytes > left) throw relayTooSmall(request.data, request.bytes, left);
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(OPEN_MS)]);
    const stream = await link.connection
      .newStream(PROTOCOLS.transfer, { runOnLimitedConnection: true, signal })
      .catch((thrown: unknown) => {
        request.signal.throwIfAborted();
        throw new TabmeshError('peer_unreachable', `no transfer from this peer: ${toTabmeshError(thrown).message}`, {
          retryable: true,
          cause: thrown,
        });
      });
    return receiveDataset(stream, { ...request, tree, local, clock });
  }

  async #within(transfer: () => Promise<void>): Promise<void> {
    if (this.#served >= TRANSFERS_SERVED) {
      throw new TabmeshError('rate_limited', `this peer serves ${TRANSFERS_SERVED} transfers already`, {
        hint: 'Ask another device that holds it, or again later.',
        retryable: true,
      });
    }
    this.#served++;
    try {
      await transfer();
    } finally {
      this.#served--;
    }
  }
}

function relayTooSmall(data: CidString, bytes: number, left: number): TabmeshError {
  return new TabmeshError('payload_too_large', `${data} has ${bytes} bytes, and ${left} are left on the relayed link`, {
    hint: 'Wait until the two peers are linked directly.',
    details: { bytes, bytesLeft: left },
  });
}
