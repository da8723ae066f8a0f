import { DEFAULT_CLASSES } from '../../contracts/access.ts';
import type { Principal, TokenScope } from '../../contracts/tools.ts';
import type { Clock } from '../../lib/clock.ts';
import { toTabmeshError } from '../../lib/errors.ts';
import type { DeviceId, PeerId, RoomId } from '../../lib/ids.ts';
import type { DeviceKey } from '../identity/device-key.ts';
import { digestOf, extendChain, STATEMENT_MS, statementsOf } from './chain.ts';
import { refused } from './faults.ts';
import { signStatement, verifyStatement, type StatementSubject } from './statement.ts';

/** A statement is made anew so long before it ends, ms: what a call may take on its way. */
const RENEW_BEFORE_MS = 2 * 60_000;
/** Signed forms kept: the tokens of a relay's clients, each for a few places. */
const MAX_KEPT = 512;

/** What a token may do whose relay says nothing of it. */
const DEFAULT_SCOPE: TokenScope = { classes: DEFAULT_CLASSES, tools: null, expiresAt: null };

export interface SignerOptions {
  readonly room: RoomId;
  readonly deviceKey: DeviceKey;
  readonly peer: PeerId;
  /** asks the peer that has called this one for its own word on that. @throws what the peer answers, `peer_unreachable` */
  readonly vouch: (peer: PeerId) => Promise<string>;
  readonly clock: Clock;
}

interface Signed {
  readonly chain: string;
  /** ms since the epoch */
  readonly until: number;
}

/** Signs on whose behalf this device calls others. */
export class PrincipalSigner {
  readonly #options: SignerOptions;
  readonly #kept = new Map<string, Signed | Promise<Signed>>();

  constructor(options: SignerOptions) {
    this.#options = options;
  }

  /**
   * The signed form of a principal for calls to a device, made once and kept until it is about to expire.
   * @throws `unauthorized` when whoever called here does not vouch for it any more
   */
  chainFor(principal: Principal, to: DeviceId): string | Promise<string> {
    const key = `${to} ${principal.proof ?? ownKey(principal)}`;
    const kept = this.#kept.get(key);
    if (kept instanceof Promise) return kept.then(({ chain }) => chain);
    if (kept !== undefined && kept.until - RENEW_BEFORE_MS > this.#options.clock.now()) return kept.chain;
    return this.#make(key, principal, to);
  }

  /** This device's own word that it has called `to`. */
  async own(to: DeviceId): Promise<string> {
    return (await this.#root({ kind: 'device', peer: this.#options.peer }, to)).chain;
  }

  async #make(key: string, principal: Principal, to: DeviceId): Promise<string> {
    const signing = this.#sign(principal, to);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < MAX_KEPT) break;
      this.#kept.delete(oldest);
    }
    this.#kept.set(key, signing);
    try {
      const signed = await signing;
      this.#kept.set(key, signed);
      return signed.chain;
    } catch (thrown) {
      // the next call tries again
      this.#kept.delete(key);
      throw thrown;
    }
  }

  async #sign(principal: Principal, to: DeviceId): Promise<Signed> {
    const { peer, deviceKey, room, clock } = this.#options;
    if (principal.kind === 'token' && principal.proof === undefined) {
      if (principal.relay !== peer) throw refused('principal_foreign', 'the token is of another relay');
      const { tokenId: id, name, relay, maker, scope = DEFAULT_SCOPE } = principal;
      const made = maker === undefined ? {} : { maker };
      return this.#root({ kind: 'token', id, name, relay, ...made, scope }, to);
    }
    const chain = principal.proof ?? (await this.#vouched(principal));
    const before = await verifyStatement(statementsOf(chain).at(-1) ?? '');
    const iat = clock.now();
    const exp = Math.min(iat + STATEMENT_MS, before.exp);
    const link = { room, iss: deviceKey.id, aud: to, iat, exp, prf: digestOf(chain) };
    return { chain: extendChain(chain, await signStatement(deviceKey, link)), until: exp };
  }

  async #vouched(principal: Principal): Promise<string> {
    if (principal.kind !== 'device') throw refused('principal_unvouched', 'nobody has signed for it');
    try {
      return await this.#options.vouch(principal.peer);
    } catch (thrown) {
      const { message } = toTabmeshError(thrown);
      throw refused('principal_unvouched', `who called here does not vouch for it: ${message}`, thrown);
    }
  }

  async #root(sub: StatementSubject, to: DeviceId): Promise<Signed> {
    const { room, deviceKey, clock } = this.#options;
    const iat = clock.now();
    const exp = iat + STATEMENT_MS;
    return { chain: await signStatement(deviceKey, { room, iss: deviceKey.id, aud: to, iat, exp, sub }), until: exp };
  }
}

/** Tells apart what is signed without a word of somebody else. */
function ownKey(principal: Principal): string {
  return principal.kind === 'device'
    ? `device ${principal.peer}`
    : `token ${principal.relay} ${principal.tokenId} ${principal.maker ?? ''} ${principal.name} ${JSON.stringify(principal.scope)}`;
}
