/**
 * How research code reaches an upstream service. Code always names the canonical URL; who serves it (directly, or the
 * relay's `/fetch`) is decided behind this port.
 */
export interface FetchPort {
  /**
   * One GET. Follows no redirects to other hosts, bounds time and size.
   * @returns status, headers (lower-case names) and the whole body; any HTTP status is a normal return
   * @throws `upstream_unreachable`, `upstream_too_large`, `upstream_blocked`, `timeout`, `cancelled`, `unauthorized`
   */
  get(url: string, options: { readonly signal: AbortSignal; readonly accept?: string }): Promise<FetchAnswer>;
}

export interface FetchAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}
