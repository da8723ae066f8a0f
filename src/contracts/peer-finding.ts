import type { BootstrapMethod, NatType } from './bootstrap.ts';
import type { PeerSource } from './discovery.ts';

/** What was counted of one kind of operation. Rates are percent, durations ms, both to two decimals. */
export interface OperationCounts {
  readonly total: number;
  readonly successful: number;
  readonly failed: number;
  /** 0 before the first */
  readonly successRate: number;
  /** of the last hundred; 0 before the first */
  readonly averageDurationMs: number;
  /** ms since the epoch; null before the first */
  readonly last: number | null;
}

/** The same of one way to find peers, or to reach the network, alone. */
export interface CountsOf<Name extends string> extends OperationCounts {
  readonly name: Name;
  /** why the last one failed; null when it did not */
  readonly trouble: string | null;
}

/** One try to get into the network that has ended. */
export interface NetworkTry {
  /** ms since the epoch */
  readonly endedAt: number;
  readonly method: BootstrapMethod;
  /** where: `host:port`, or a multiaddr */
  readonly target: string;
  readonly durationMs: number;
  /** null: it worked */
  readonly error: string | null;
}

/** How this device is seen from outside, as services outside have told. */
export interface SeenFromOutside {
  /** null: nobody could tell */
  readonly publicIp: string | null;
  readonly natType: NatType;
  /** ms since the epoch */
  readonly at: number;
}

/** How peers were looked for, and the network reached, since this peer started. */
export interface PeerFinding {
  /** `bySource`: peers found, of successful looks only */
  readonly discovery: OperationCounts & { readonly bySource: Readonly<Record<string, number>> };
  /** `byMethod`: attempts */
  readonly bootstrap: OperationCounts & { readonly byMethod: Readonly<Record<string, number>> };
  readonly sources: readonly (CountsOf<PeerSource> & { readonly found: number })[];
  readonly methods: readonly CountsOf<BootstrapMethod>[];
  /** newest first, at most fifty */
  readonly tries: readonly NetworkTry[];
  /** null: nobody was asked */
  readonly outside: SeenFromOutside | null;
}
