import type {
  Capability,
  GrantCheck,
  GrantListing,
  GrantRequest,
  GrantsPort,
  IssuedGrant,
  RevocationRecord,
} from '../../contracts/grants.ts';
import type { KeyValueStore } from '../../contracts/kv.ts';
import type { Clock } from '../../lib/clock.ts';
import { compactBytes, compactInput, compactToken } from '../../lib/compact-token.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { randomId } from '../../lib/ids.ts';
import type { Exclusive } from '../approvals/book.ts';
import { evaluateChain, DEFAULT_RULES } from './attenuation.ts';
import { isDelegation } from './capability.ts';
import { checkGrants, type CheckedChain, type RevocationLedger } from './check.ts';
import { IssuedGrants } from './issued.ts';
import type { GrantKeys } from './keys.ts';
import { MAX_DEPTH, MAX_LIFETIME_MS } from './limits.ts';
import { discoveredBy, signRevocation } from './revocation.ts';
import { readGrantToken } from './token.ts';
import { KeptUses } from './uses.ts';

export interface GrantServiceOptions {
  readonly keys: GrantKeys;
  /** what calls at this device are to, as grants name it */
  readonly resource: string;
  /** the did of a device; undefined for what is no device */
  readonly didOf: (device: string) => string | undefined;
  readonly ledger: RevocationLedger & {
    /** makes a revocation known to the room. @throws `rate_limited`, `storage_failed` */
    publish(record: RevocationRecord): Promise<void>;
    /** everything that the room knows */
    all(): readonly RevocationRecord[];
    /** where it is published */
    readonly id: string;
  };
  readonly store: KeyValueStore;
  readonly lock: Exclusive;
  readonly clock: Clock;
}

/** A call that a grant is to allow at this device. */
export interface GrantedToolCall {
  readonly tool: string;
  readonly args: unknown;
  /** whom it is made for */
  readonly audience: string;
}

const TOOL_NAME = /^[\w.-]{1,128}$/;
const encoder = new TextEncoder();

/** Delegation tokens at one device in one room: issued, passed on, checked, counted, revoked. */
export class GrantService implements GrantsPort {
  readonly #options: GrantServiceOptions;
  readonly #issued: IssuedGrants;

  constructor(options: GrantServiceOptions) {
    this.#options = options;
    this.#issued = new IssuedGrants(options.store);
  }

  async issue(request: GrantRequest): Promise<IssuedGrant> {
    const { keys, lock } = this.#options;
    const parents = (request.parents ?? []).map(readGrantToken);
    const claims = this.#claimsOf(request, parents);
    const input = compactInput({ alg: 'EdDSA', kid: keys.did, typ: 'UCAN', v: 1 }, claims);
    const text = compactToken(input, await keys.sign(compactBytes(input)));
    const token = readGrantToken(text);
    const chain = [...parents, token];
    const [first] = token.claims.capabilities;
    const { verdict, hop } = evaluateChain(
      chain.map((each) => each.claims),
      {
        resource: first?.resource ?? '',
        ability: first?.ability ?? '',
        budget: { calls: 1, bytes: 0 },
        args: request.args ?? {},
        audience: token.claims.audience,
        executor: token.claims.executor,
        policyCid: token.claims.policyCid,
        now: this.#now(),
      },
      DEFAULT_RULES,
    );
    if (verdict !== 'ok') {
      throw new TabmeshError('forbidden', `the grant would be worth nothing: ${verdict}`, {
        hint: 'Ask for no more than the grant that it is derived from allows.',
        details: { verdict, hop },
      });
    }
    await lock.run(() => this.#issued.add({ cid: token.cid, token: text, at: this.#options.clock.now() }));
    return { cid: token.cid, tokens: [...(request.parents ?? []).map(asText), text], claims: token.claims };
  }

  async list(): Promise<readonly GrantListing[]> {
    const { ledger, store, keys } = this.#options;
    const [kept, uses] = await Promise.all([this.#issued.list(this.#options.clock.now()), KeptUses.read(store)]);
    const now = this.#now();
    return kept.map(({ cid, token }) => {
      const { claims } = readGrantToken(token);
      const revoked = ledger.find([cid], []) ?? [];
      const state = revoked.some(({ issuer }) => issuer === keys.did)
        ? 'revoked'
        : claims.expiry !== null && now > claims.expiry
          ? 'expired'
          : 'valid';
      return { cid, claims, state, used: uses.callsOf(cid) };
    });
  }

  async revoke(
    cid: string,
    { reason, chain }: { readonly reason: string | null; readonly chain: readonly unknown[] | null },
  ): Promise<RevocationRecord> {
    const { keys, ledger } = this.#options;
    const known = (await this.#issued.has(cid)) || isDerived(chain ?? [], cid, keys.did);
    if (!known) {
      throw new TabmeshError(chain === null ? 'not_found' : 'forbidden', 'this device may not revoke such a grant', {
        hint: 'Only who issued a grant, or one that it is derived from, may take it back; give the chain of one passed on.',
      });
    }
    const now = this.#now();
    const record = await signRevocation(keys, {
      revoked_delegation_cid: cid,
      effective_at: now,
      discovery: { method: 'ledger', registry_id: ledger.id, published_at: now },
      nonce: randomId(),
      ...(reason === null ? {} : { reason }),
    });
    await ledger.publish(record);
    return record;
  }

  async revocations(method: string | null): Promise<readonly RevocationRecord[]> {
    const known = this.#options.ledger.all();
    const wanted = method === null ? known : discoveredBy(known, method);
    return wanted.toSorted((a, b) => b.effective_at - a.effective_at);
  }

  async verify(chain: readonly unknown[], call: GrantedToolCall): Promise<GrantCheck> {
    const { verdict, hop, chain: read } = await this.#check(chain, call, await KeptUses.read(this.#options.store));
    return { verdict, hop, chain: read };
  }

  /** Checks a chain for a call that is about to run here, and counts the call when it is allowed. */
  async use(chain: readonly unknown[], call: GrantedToolCall): Promise<GrantCheck> {
    const { lock, store } = this.#options;
    // one at a time over all tabs: the last call of a budget is allowed once
    return await lock.run(async () => {
      const uses = await KeptUses.read(store);
      const checked = await this.#check(chain, call, uses);
      if (checked.verdict === 'ok') {
        uses.count(checked.tokens, this.#now());
        await uses.write(store);
      }
      return checked;
    });
  }

  #check(chain: readonly unknown[], { tool, args, audience }: GrantedToolCall, uses: KeptUses): Promise<CheckedChain> {
    const { keys, resource, ledger } = this.#options;
    const given = (args ?? {}) as Readonly<Record<string, unknown>>;
    const demand = {
      resource,
      ability: `tools/${tool}`,
      args: given,
      bytes: encoder.encode(JSON.stringify(given)).byteLength,
      audience,
      executor: keys.did,
      policyCid: null,
      now: this.#now(),
    };
    return checkGrants(chain, demand, { root: keys.did, keys, ledger, uses });
  }

  #claimsOf(request: GrantRequest, parents: readonly ReturnType<typeof readGrantToken>[]): Record<string, unknown> {
    const { audience, tools, lifetimeMs, calls, args, maxDepth } = request;
    const { keys, didOf } = this.#options;
    const aud = audience.startsWith('did:') || audience.startsWith('urn:') ? audience : didOf(audience);
    if (aud === undefined) throw invalid('audience: expected the id of a device, a did or a urn');
    if (tools.length === 0 || !tools.every((tool) => TOOL_NAME.test(tool)))
      throw invalid('tools: expected names of tools');
    if (!(lifetimeMs > 0 && lifetimeMs <= MAX_LIFETIME_MS)) throw invalid('lifetime: at most 90 days');
    if (calls !== null && !(Number.isSafeInteger(calls) && calls > 0)) throw invalid('calls: a whole number above 0');
    if (!Number.isSafeInteger(maxDepth) || maxDepth < 0 || maxDepth >= MAX_DEPTH)
      throw invalid(`max_depth: 0 to ${MAX_DEPTH - 1}`);
    const parent = parents.at(-1);
    if (parent !== undefined && parent.claims.audience !== keys.did) {
      throw invalid('parents: the last of them is not for this device');
    }
    const now = this.#now();
    const end = Math.floor(now + lifetimeMs / 1000);
    const resource = parent === undefined ? this.#options.resource : resourceOf(parent.claims.capabilities);
    const nb = calls === null ? {} : { nb: { calls } };
    return {
      iss: keys.did,
      aud,
      att: tools.map((tool) => ({ resource, ability: `tools/${tool}`, ...nb, ...(args === null ? {} : { args }) })),
      nbf: Math.max(now, parent?.claims.notBefore ?? 0),
      exp: Math.min(end, parent?.claims.expiry ?? end),
      prf: parents.map(({ cid }) => cid),
      can_delegate: maxDepth > 0,
      max_depth: maxDepth,
      // what makes two grants alike two grants; a nonce would make each good for one call
      fct: { id: randomId() },
    };
  }

  /** whole seconds since the epoch */
  #now(): number {
    return Math.floor(this.#options.clock.now() / 1000);
  }
}

/** Whether the token is in a chain below one that the did has issued. */
function isDerived(chain: readonly unknown[], cid: string, did: string): boolean {
  const tokens = chain.map(readGrantToken);
  const at = tokens.findIndex((token) => token.cid === cid);
  return at >= 0 && tokens.slice(0, at + 1).some(({ claims }) => claims.issuer === did);
}

const resourceOf = (capabilities: readonly Capability[]): string =>
  capabilities.find(({ ability }) => !isDelegation(ability))?.resource ?? '';

const asText = (token: unknown): string => (typeof token === 'string' ? token : JSON.stringify(token));

function invalid(what: string): TabmeshError {
  return new TabmeshError('invalid_input', what);
}
