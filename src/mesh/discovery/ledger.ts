import type { PeerRank } from '../../contracts/discovery.ts';
import type { HourlyMetrics, LinkMeasures } from '../../contracts/peer-network.ts';
import type { Clock } from '../../lib/clock.ts';
import type { PeerId } from '../../lib/ids.ts';

const HOUR_MS = 3_600_000;
/** A week of hours: as far back as anybody may ask. */
const MAX_HOURS = 168;
/** Twice the largest room; of more, those that were not heard of for longest are forgotten. */
const MAX_PEERS = 500;
/** Pings that loss is counted over: eight minutes of them. */
const LOSS_WINDOW = 100;
/** The round trip at which a link feels half as good as one without any. */
const HALF_QUALITY_MS = 200;

/** What one hour brought. */
interface Hour {
  readonly at: number;
  answered: number;
  missed: number;
  latencySum: number;
  /** attempts to connect */
  reached: number;
  failed: number;
  bytes: number;
  bandwidthMbps: number | null;
}

interface Account {
  readonly hours: Map<number, Hour>;
  /** the last pings, true when answered */
  readonly recent: boolean[];
  linkedSince: number | null;
  linkedMs: number;
  lastActive: number | null;
  latencyMs: number | null;
  bytes: number;
  bandwidthMbps: number | null;
  bandwidthAt: number | null;
  touched: number;
}

/** What is known of a peer in all. */
export interface PeerAccount extends LinkMeasures {
  readonly reliability: number | null;
  /** hours linked */
  readonly uptimeHours: number;
  /** when it last answered or sent something, ms since the epoch */
  readonly lastActive: number | null;
  readonly bytes: number;
  /** when its bandwidth was measured */
  readonly bandwidthAt: number | null;
}

/** What this peer has measured of others since it started: pings, attempts to connect, bytes, time linked. */
export class PeerLedger {
  readonly #clock: Clock;
  readonly #accounts = new Map<PeerId, Account>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A ping came back after `latencyMs`, or not at all: null. */
  probed(peer: PeerId, latencyMs: number | null): void {
    const account = this.#account(peer);
    const hour = this.#hour(account);
    account.recent.push(latencyMs !== null);
    if (account.recent.length > LOSS_WINDOW) account.recent.shift();
    if (latencyMs === null) {
      hour.missed++;
      return;
    }
    hour.answered++;
    hour.latencySum += latencyMs;
    account.latencyMs = latencyMs;
    account.lastActive = this.#clock.now();
  }

  /** Somebody tried to connect to the peer. */
  tried(peer: PeerId, reached: boolean): void {
    const hour = this.#hour(this.#account(peer));
    if (reached) hour.reached++;
    else hour.failed++;
  }

  linked(peer: PeerId): void {
    const account = this.#account(peer);
    account.linkedSince ??= this.#clock.now();
    account.lastActive = this.#clock.now();
  }

  unlinked(peer: PeerId): void {
    const account = this.#account(peer);
    if (account.linkedSince !== null) account.linkedMs += this.#clock.now() - account.linkedSince;
    account.linkedSince = null;
  }

  transferred(peer: PeerId, bytes: number): void {
    const account = this.#account(peer);
    account.bytes += bytes;
    account.lastActive = this.#clock.now();
    this.#hour(account).bytes += bytes;
  }

  measured(peer: PeerId, bandwidthMbps: number): void {
    const account = this.#account(peer);
    account.bandwidthMbps = bandwidthMbps;
    account.bandwidthAt = this.#clock.now();
    this.#hour(account).bandwidthMbps = bandwidthMbps;
  }

  /** for ordering peers; nulls for one that was never tried */
  readonly rankOf = (peer: PeerId): PeerRank => {
    const account = this.#accounts.get(peer);
    return {
      reliability: account === undefined ? null : reliabilityOf(account),
      latencyMs: account?.latencyMs ?? null,
    };
  };

  /** undefined for a peer that was never dealt with */
  of(peer: PeerId): PeerAccount | undefined {
    const account = this.#accounts.get(peer);
    if (account === undefined) return undefined;
    const { latencyMs, bandwidthMbps, bandwidthAt, lastActive, bytes, linkedSince, linkedMs, recent } = account;
    const answered = recent.filter(Boolean).length;
    const lossPercent = percent(recent.length - answered, recent.length);
    const now = this.#clock.now();
    return {
      latencyMs,
      bandwidthMbps,
      bandwidthAt,
      lastActive,
      bytes,
      lossPercent,
      quality: qualityOf(latencyMs, lossPercent),
      reliability: reliabilityOf(account),
      uptimeHours: (linkedMs + (linkedSince === null ? 0 : now - linkedSince)) / HOUR_MS,
    };
  }

  /** The hours of the last `count` in which something was measured, oldest first. */
  hours(peer: PeerId, count: number): readonly HourlyMetrics[] {
    const from = this.#clock.now() - count * HOUR_MS;
    return [...(this.#accounts.get(peer)?.hours.values() ?? [])]
      .filter(({ at }) => at > from)
      .sort((a, b) => a.at - b.at)
      .map((hour) => {
        const latencyMs = hour.answered === 0 ? null : hour.latencySum / hour.answered;
        const lossPercent = percent(hour.missed, hour.answered + hour.missed);
        return {
          at: hour.at,
          latencyMs,
          lossPercent,
          bandwidthMbps: hour.bandwidthMbps,
          quality: qualityOf(latencyMs, lossPercent),
          bytesTransferred: hour.bytes,
        };
      });
  }

  #account(peer: PeerId): Account {
    const known = this.#accounts.get(peer);
    if (known !== undefined) {
      known.touched = this.#clock.now();
      return known;
    }
    const account: Account = {
      hours: new Map(),
      recent: [],
      linkedSince: null,
      linkedMs: 0,
      lastActive: null,
      latencyMs: null,
      bytes: 0,
      bandwidthMbps: null,
      bandwidthAt: null,
      touched: this.#clock.now(),
    };
    this.#accounts.set(peer, account);
    if (this.#accounts.size > MAX_PEERS) this.#forgetOne(peer);
    return account;
  }

  #hour(account: Account): Hour {
    const at = Math.floor(this.#clock.now() / HOUR_MS) * HOUR_MS;
    const known = account.hours.get(at);
    if (known !== undefined) return known;
    const hour: Hour = {
      at,
      answered: 0,
      missed: 0,
      latencySum: 0,
      reached: 0,
      failed: 0,
      bytes: 0,
      bandwidthMbps: null,
    };
    account.hours.set(at, hour);
    const [oldest] = account.hours.keys();
    if (account.hours.size > MAX_HOURS && oldest !== undefined) account.hours.delete(oldest);
    return hour;
  }

  #forgetOne(except: PeerId): void {
    const others = [...this.#accounts].filter(([peer, { linkedSince }]) => peer !== except && linkedSince === null);
    const [first] = others.sort(([, a], [, b]) => a.touched - b.touched);
    if (first !== undefined) this.#accounts.delete(first[0]);
  }
}

/** Share of what was tried (pings, connecting) that worked; null before the first. */
function reliabilityOf({ hours }: Account): number | null {
  let good = 0;
  let all = 0;
  for (const { answered, missed, reached, failed } of hours.values()) {
    good += answered + reached;
    all += answered + missed + reached + failed;
  }
  return all === 0 ? null : good / all;
}

function percent(part: number, whole: number): number | null {
  return whole === 0 ? null : (100 * part) / whole;
}

/** 1 for a link that answers at once and always; falls with the round trip and in step with loss. */
function qualityOf(latencyMs: number | null, lossPercent: number | null): number | null {
  if (lossPercent === 100) return 0;
  if (latencyMs === null || lossPercent === null) return null;
  return (1 - lossPercent / 100) / (1 + latencyMs / HALF_QUALITY_MS);
}
