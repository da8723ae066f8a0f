import type { Presenter, Principal } from '../../contracts/tools.ts';
import type { Clock } from '../../lib/clock.ts';
import type { DeviceId, RoomId } from '../../lib/ids.ts';
import type { Proven } from '../rpc/member-links.ts';
import {
  digestOf,
  extendChain,
  MAX_CHAIN_CHARS,
  MAX_CLOCK_SKEW_MS,
  MAX_STATEMENTS,
  STATEMENT_MS,
  statementsOf,
} from './chain.ts';
import { foreign, refused } from './faults.ts';
import type { Statement, StatementSubject } from './statement.ts';
import { verifyStatement } from './statement.ts';

/** Chains that were found good: every token of a relay's clients, and as many again on behalf of others. */
const MAX_KNOWN = 256;

/** What a place knows about those who sign statements. */
export interface ReaderOptions {
  readonly room: RoomId;
  /** this place's device */
  readonly device: DeviceId;
  /** whether the device is let into the room */
  readonly admits: (device: DeviceId) => boolean;
  /** whether a relay of this room runs on the device */
  readonly isRelay: (device: DeviceId) => boolean;
  readonly clock: Clock;
}

/** A chain whose signatures are good and which was made for this device. */
interface Known {
  readonly chain: string;
  readonly root: DeviceId;
  readonly subject: StatementSubject;
  /** who handed it on, in order */
  readonly via: readonly Presenter[];
  /** who signed one of its statements */
  readonly signers: readonly DeviceId[];
  /** ms since the epoch */
  readonly from: number;
  readonly until: number;
}

/** Decides on whose behalf a call is made that names somebody besides the device it comes from. */
export class PrincipalReader {
  readonly #options: ReaderOptions;
  readonly #known = new Map<string, Known>();

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /**
   * Reads the chain of a call. One that was found good is known by its text: no signature is checked twice.
   * @param caller whose proven connection the call came over
   * @throws `unauthorized` with `details.reason` for a chain that is malformed, forged, expired, or not meant for this place;
   *   `forbidden` when the caller speaks for somebody whom it may not speak for
   */
  read(chain: string, caller: Proven): Principal | Promise<Principal> {
    const known = this.#known.get(chain);
    return known === undefined ? this.#verify(chain, caller) : this.#apply(known, caller);
  }

  async #verify(chain: string, caller: Proven): Promise<Principal> {
    if (chain.length > MAX_CHAIN_CHARS) throw refused('principal_malformed', 'it is too long');
    const texts = statementsOf(chain);
    if (texts.length > MAX_STATEMENTS) throw refused('principal_malformed', 'it came over too many hops');
    const statements: Statement[] = [];
    for (const text of texts) statements.push(await verifyStatement(text));
    const known = this.#join(chain, texts, statements);
    const principal = this.#apply(known, caller);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size < MAX_KNOWN) break;
      this.#known.delete(oldest);
    }
    this.#known.set(chain, known);
    return principal;
  }

  /** Sees that each hop continues what was given to it, up to this device. */
  #join(chain: string, texts: readonly string[], statements: readonly Statement[]): Known {
    const [root, ...links] = statements;
    const subject = root?.sub;
    if (root === undefined || subject === undefined) throw refused('principal_malformed', 'it names nobody');
    let continued = texts[0] ?? '';
    let before = root;
    for (const [i, link] of links.entries()) {
      if (link.prf !== digestOf(continued) || link.iss !== before.aud) {
        throw refused('principal_misdirected', 'a hop continues what was not given to it');
      }
      continued = extendChain(continued, texts[i + 1] ?? '');
      before = link;
    }
    if (before.aud !== this.#options.device) throw refused('principal_misdirected', 'it was signed for another place');
    if (statements.some(({ room }) => room !== this.#options.room)) {
      throw refused('principal_misdirected', 'it is of another room');
    }
    if (statements.some(({ iat, exp }) => exp - iat > STATEMENT_MS)) {
      throw refused('principal_malformed', 'it would be good for too long');
    }
    return {
      chain,
      root: root.iss,
      subject,
      via: links.map(({ iss }) => ({ device: iss })),
      signers: statements.map(({ iss }) => iss),
      from: Math.max(...statements.map(({ iat }) => iat)),
      until: Math.min(...statements.map(({ exp }) => exp)),
    };
  }

  #apply(known: Known, caller: Proven): Principal {
    const { signers, from, until } = known;
    const { clock, admits } = this.#options;
    const now = clock.now();
    // who signed last is who presents it: what somebody else was given cannot be presented again
    if (signers.at(-1) !== caller.device) throw foreign();
    if (now > until + MAX_CLOCK_SKEW_MS) throw refused('principal_expired', 'its time is over');
    if (now < from - MAX_CLOCK_SKEW_MS) throw refused('principal_expired', 'its time has not come');
    if (!signers.every(admits)) throw refused('principal_foreign', 'one who signed it is no member of this room');
    return this.#principalOf(known, caller);
  }

  #principalOf({ chain, root, subject, via }: Known, caller: Proven): Principal {
    const direct = via.length === 0;
    const rest = direct ? { proof: chain } : { proof: chain, via };
    if (subject.kind === 'device') return { kind: 'device', device: root, peer: subject.peer, ...rest };
    const { id, ...what } = subject;
    const { relay } = what;
    const token = { ...what, tokenId: id, issuer: root, ...rest } as const;
    // a relay that our invite does not name is a member like any: what it calls for its clients is its own call
    if (!direct) return this.#options.isRelay(root) ? token : { kind: 'device', device: root, peer: relay, ...rest };
    if (relay !== caller.peer) throw foreign();
    if (caller.kind === 'relay') return token;
    if (caller.saysRelay === true) return { kind: 'device', device: caller.device, peer: caller.peer };
    throw foreign();
  }
}
