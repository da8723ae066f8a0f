import type { Principal } from '../../contracts/tools.ts';
import type { Clock } from '../../lib/clock.ts';
import type { DeviceId, PeerId, RoomId } from '../../lib/ids.ts';
import { shared } from '../../lib/shared.ts';
import type { DeviceKey } from '../identity/device-key.ts';
import type { Proven } from '../rpc/member-links.ts';
import type { Membership } from '../membership/membership.ts';
import type { ExtraMethod } from '../rpc/mcp-server.ts';
import { isObject } from '../rpc/mcp-wire.ts';
import { refused } from './faults.ts';
import type { PrincipalReader, ReaderOptions } from './reader.ts';
import type { PrincipalSigner, SignerOptions } from './signer.ts';

/** What members ask of each other about principals. */
const VOUCH_METHOD = 'tabmesh/vouch';

/** The word of one who has called comes in a round trip, ms. */
const VOUCH_TIMEOUT_MS = 5_000;

export interface PrincipalsOptions {
  readonly room: RoomId;
  readonly deviceKey: DeviceKey;
  readonly peer: PeerId;
  readonly membership: Pick<Membership, 'links'>;
  /** whether a device is let into the room */
  readonly admits: (device: DeviceId) => boolean;
  /** one request of ours to a member */
  readonly ask: (peer: PeerId, method: string, timeoutMs: number) => Promise<unknown>;
  readonly clock: Clock;
}

/** The principals of one peer of a room. */
export function createPrincipals(options: PrincipalsOptions): Principals {
  const { room, deviceKey, peer, membership, admits, ask, clock } = options;
  return new Principals({
    signer: {
      room,
      deviceKey,
      peer,
      vouch: async (caller) => wordOf(await ask(caller, VOUCH_METHOD, VOUCH_TIMEOUT_MS)),
      clock,
    },
    reader: {
      room,
      device: deviceKey.id,
      admits,
      isRelay: (device) => membership.links().some(({ member }) => member.device === device && member.kind === 'relay'),
      clock,
    },
  });
}

/** On whose behalf calls arrive at this peer, and leave it. */
export class Principals {
  readonly #options: { readonly signer: SignerOptions; readonly reader: ReaderOptions };
  /** peers that calls of this peer's own are under way to */
  readonly #calling = new Map<PeerId, number>();
  #reader: PrincipalReader | undefined;
  #signer: PrincipalSigner | undefined;
  /** most tabs never speak for somebody else: what signs and verifies is fetched when it is first needed */
  readonly #loading = shared(async () => {
    const [{ PrincipalReader }, { PrincipalSigner }] = await Promise.all([
      import('./reader.ts'),
      import('./signer.ts'),
    ]);
    this.#reader = new PrincipalReader(this.#options.reader);
    this.#signer = new PrincipalSigner(this.#options.signer);
    return { reader: this.#reader, signer: this.#signer };
  });

  constructor(options: { readonly signer: SignerOptions; readonly reader: ReaderOptions }) {
    this.#options = options;
  }

  /**
   * Who a call is for, that came with a `tabmesh/principal` over the caller's proven connection.
   * @throws `unauthorized`, `forbidden`; see {@link PrincipalReader.read}
   */
  read(value: unknown, caller: Proven): Principal | Promise<Principal> {
    if (typeof value !== 'string') throw refused('principal_malformed', 'it is not signed');
    if (this.#reader !== undefined) return this.#reader.read(value, caller);
    return this.#load().then(({ reader }) => reader.read(value, caller));
  }

  /**
   * What a call carries to say who it is for: nothing when the connection says it, or there is none.
   * @param deviceOf the device that is called; asked for only when it matters, since most calls are of this peer's own
   * @throws `unauthorized` when nobody vouches for the principal any more
   */
  chainFor(principal: Principal, deviceOf: () => DeviceId | undefined): string | undefined | Promise<string> {
    if (this.#isSelf(principal)) return undefined;
    const to = deviceOf();
    if (to === undefined) return undefined;
    if (this.#signer !== undefined) return this.#signer.chainFor(principal, to);
    return this.#load().then(({ signer }) => signer.chainFor(principal, to));
  }

  /** Marks that a call to the peer is under way; returns what marks its end. */
  calling(peer: PeerId): () => void {
    this.#calling.set(peer, (this.#calling.get(peer) ?? 0) + 1);
    return () => {
      const left = (this.#calling.get(peer) ?? 1) - 1;
      if (left === 0) this.#calling.delete(peer);
      else this.#calling.set(peer, left);
    };
  }

  /** Serves {@link VOUCH_METHOD}: who runs a call of this peer's may have its word on that, and nobody else. */
  methods(): Readonly<Record<string, ExtraMethod>> {
    return {
      [VOUCH_METHOD]: async (_params, { peer, device }) => {
        if (!this.#calling.has(peer)) throw refused('principal_unvouched', 'no call of this peer runs there');
        const { signer } = await this.#load();
        return { principal: await signer.own(device) };
      },
    };
  }

  async #load() {
    try {
      return await this.#loading.get();
    } catch (thrown) {
      // offline, and not kept: the next call tries again
      this.#loading.reset();
      throw thrown;
    }
  }

  #isSelf(principal: Principal): boolean {
    const { peer, deviceKey } = this.#options.signer;
    const isOurs = principal.kind === 'device' && principal.device === deviceKey.id && principal.peer === peer;
    return isOurs && principal.via === undefined;
  }
}

/** What {@link VOUCH_METHOD} answered. @throws `unauthorized` when it is no such answer */
function wordOf(answer: unknown): string {
  const word = isObject(answer) ? answer['principal'] : undefined;
  if (typeof word === 'string') return word;
  throw refused('principal_unvouched', 'what it says instead is not signed');
}
