import type { ToolMetadata } from '../../../src/contracts/tools.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import { TokenBucket } from '../../../src/mesh/rpc/token-bucket.ts';
import { createKeyedBuckets, type KeyedBuckets, type Rate } from '../../keyed-buckets.ts';
import type { TokenHolder } from '../../tokens/tokens.ts';
import { ownerKey } from './owner-key.ts';

/** How often tools may be called over HTTP. */
export interface CallRates {
  /** requests of one token that call no tool: lists, descriptions, sessions */
  readonly request: Rate;
  /** by one token that has no rate of its own */
  readonly token: Rate;
  /** by all tokens of one member, of the owner, or of one person at an identity provider */
  readonly principal: Rate;
  /** one tool that asks services outside the room, by one principal */
  readonly openWorld: Rate;
  /** one tool that changes or administers something, by one principal */
  readonly changing: Rate;
}

export const CALL_RATES: CallRates = {
  // a client that begins asks a dozen times; some of the answers take milliseconds to make
  request: { burst: 3_000, perSecond: 300 },
  // what a member may send over the mesh: more than one relay on two cores serves
  token: { burst: 10_000, perSecond: 5_000 },
  principal: { burst: 20_000, perSecond: 10_000 },
  // each call may become hundreds of requests to somebody else's service
  openWorld: { burst: 60, perSecond: 1 },
  // faster than a person, slower than a loop gone wild
  changing: { burst: 120, perSecond: 10 },
};

/** Which limit a call was over. */
export type LimitedBy = 'token' | 'principal' | 'tool';

const MINUTE_S = 60;
const MS = 1000;

/** Counts calls against the limits. */
export interface Rates {
  /** @throws `rate_limited` with `details.retryAfterMs` and `details.by` */
  take(holder: Pick<TokenHolder, 'id' | 'device' | 'owned' | 'perMinute'>, tool: ToolMetadata | undefined): void;
  /** A request that calls no tool. @throws `rate_limited` */
  takeRequest(tokenId: string): void;
  /** a token that is no more needs no bucket */
  forget(tokenId: string): void;
}

/** Makes {@link Rates}, with nothing counted yet. */
export function createRates(limits: CallRates, clock: Clock): Rates {
  const requests = createKeyedBuckets(limits.request, clock);
  const tokens = createKeyedBuckets(limits.token, clock);
  const principals = createKeyedBuckets(limits.principal, clock);
  const openWorld = createKeyedBuckets(limits.openWorld, clock);
  const changing = createKeyedBuckets(limits.changing, clock);
  // by token, with the rate of each: there are as many as there are tokens with one
  const own = new Map<string, { readonly perMinute: number; readonly bucket: TokenBucket }>();

  const takeOwn = (id: string, perMinute: number) => {
    let entry = own.get(id);
    if (entry?.perMinute !== perMinute) {
      entry = { perMinute, bucket: new TokenBucket(perMinute, perMinute / MINUTE_S, clock) };
      own.set(id, entry);
    }
    if (!entry.bucket.take(1)) throw over('token', perMinute / MINUTE_S);
  };
  const take = (buckets: KeyedBuckets, key: string, by: LimitedBy, { perSecond }: Rate) => {
    if (!buckets.take(key)) throw over(by, perSecond);
  };

  return {
    take({ id, device, owned, perMinute }, tool) {
      if (perMinute === null) take(tokens, id, 'token', limits.token);
      else takeOwn(id, perMinute);
      const principal = ownerKey({ id, device, owned });
      take(principals, principal, 'principal', limits.principal);
      if (tool === undefined) return;
      const key = `${principal} ${tool.name}`;
      if (tool.annotations.openWorldHint) take(openWorld, key, 'tool', limits.openWorld);
      else if (tool.access === 'write' || tool.access === 'admin') take(changing, key, 'tool', limits.changing);
    },
    takeRequest(tokenId) {
      take(requests, tokenId, 'token', limits.request);
    },
    forget(tokenId) {
      own.delete(tokenId);
    },
  };
}

const WORDS: Readonly<Record<LimitedBy, string>> = {
  token: 'this token asks too often',
  principal: 'the tokens of this owner call tools too often',
  tool: 'this tool is called too often',
};

function over(by: LimitedBy, perSecond: number): TabmeshError {
  return new TabmeshError('rate_limited', WORDS[by], {
    hint: 'Wait, then call again.',
    retryable: true,
    details: { by, retryAfterMs: Math.ceil(MS / perSecond) },
  });
}
