import type { DeviceId, PeerId } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import type { Membership } from '../membership/membership.ts';
import type { ExtraMethod } from '../rpc/mcp-server.ts';
import { isObject } from '../rpc/mcp-wire.ts';
import type { RoomEpochs } from './room-epochs.ts';

/** What members ask of each other about epochs. */
const EPOCH_METHODS = { news: 'tabmesh/epoch-news' } as const;

/** Members are told side by side; more at once would delay calls. */
const NEWS_TIMEOUT_MS = 5_000;

export interface EpochNewsOptions {
  readonly epochs: RoomEpochs;
  readonly membership: Membership;
  /** fetches what the member knows, over the link that stands */
  readonly catchUp: (peer: PeerId) => Promise<boolean>;
  readonly tell: (peer: PeerId, method: string, params: Record<string, unknown>, timeoutMs: number) => Promise<unknown>;
  readonly log: Log;
}

/**
 * Spreads a new epoch among members that are linked: who has one tells the others its number, and they fetch it. A link
 * to a device that the new list leaves out is ended.
 */
export class EpochNews {
  readonly #options: EpochNewsOptions;
  readonly #unsubscribe: (() => void)[];
  #epoch: number;

  constructor(options: EpochNewsOptions) {
    this.#options = options;
    const { epochs, membership } = options;
    this.#epoch = epochs.secret.epoch;
    this.#unsubscribe = [
      epochs.subscribe(() => {
        void this.#changed();
      }),
      // equal secrets, but perhaps other owners
      membership.subscribe(({ type, link }) => {
        if (type === 'opened' && epochs.roster !== null) void this.#tell(link.member.peer);
      }),
    ];
  }

  /** Serves {@link EPOCH_METHODS}. */
  methods(): Readonly<Record<string, ExtraMethod>> {
    return {
      [EPOCH_METHODS.news]: async (params, { peer }) => {
        const { epochs, catchUp } = this.#options;
        if (isNews(params) && isNewer(params, epochs)) await catchUp(peer);
        return {};
      },
    };
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  async #changed(): Promise<void> {
    const { epochs, membership } = this.#options;
    const renewed = epochs.secret.epoch !== this.#epoch;
    this.#epoch = epochs.secret.epoch;
    // only a new secret leaves out who is not listed: with the old one all had proven the same
    const belongs = (device: DeviceId) => (renewed ? epochs.lists(device) : epochs.admits(device));
    // those who stay are told first: their answer comes over the link that stands
    const staying = membership.links().filter(({ member }) => belongs(member.device));
    await Promise.all([
      membership.cutOff(({ device }) => !belongs(device)),
      ...new Set(staying.map(({ member }) => this.#tell(member.peer))),
    ]);
  }

  async #tell(peer: PeerId): Promise<void> {
    const { epochs, tell, log } = this.#options;
    const { roster } = epochs;
    if (roster === null) return;
    try {
      await tell(peer, EPOCH_METHODS.news, { epoch: roster.epoch, reign: roster.owners.reign }, NEWS_TIMEOUT_MS);
    } catch (error) {
      // it learns of it when it joins again
      log.info('epoch not told', { peer, reason: (error as Error).message });
    }
  }
}

interface News {
  readonly epoch: number;
  readonly reign: number;
}

const isNews = (params: unknown): params is News =>
  isObject(params) && typeof params['epoch'] === 'number' && typeof params['reign'] === 'number';

/** Equal numbers may be two owners' changes at the same time: worth a look. */
function isNewer({ epoch, reign }: News, { roster }: RoomEpochs): boolean {
  const known = { epoch: roster?.epoch ?? 0, reign: roster?.owners.reign ?? 0 };
  return reign > known.reign || (reign === known.reign && epoch >= known.epoch);
}
