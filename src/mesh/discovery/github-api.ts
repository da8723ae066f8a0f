import type { Clock } from '../../lib/clock.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { HttpFetch } from '../../lib/http-fetch.ts';
import { isPlainMap } from '../../lib/strict-map.ts';

export const GITHUB_API = 'https://api.github.com';
/** https://docs.github.com/en/rest/about-the-rest-api/api-versions */
const API_VERSION = '2022-11-28';
/** the most that GitHub gives */
const PER_PAGE = 100;
/** 1,000 issues: four times the largest room; whatever is beyond is not ours, or old */
const MAX_PAGES = 10;
/** A page of a hundred issues with full bodies is below. */
const MAX_BODY_CHARS = 8 * 1024 * 1024;
/** Remembered answers: the pages of a few queries. */
const MAX_CACHED = 32;
/** GitHub's secondary limits ask for a minute when they do not say. */
const DEFAULT_WAIT_MS = 60_000;

export interface GithubOptions {
  readonly owner: string;
  readonly repo: string;
  /** may read and write issues; without it nothing is asked */
  readonly token: string;
  readonly fetch: HttpFetch;
  readonly clock: Clock;
  readonly baseUrl?: string;
}

export interface GithubIssue {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
}

export interface IssueFields {
  readonly title?: string;
  readonly body?: string;
  readonly labels?: readonly string[];
  readonly state?: 'open' | 'closed';
}

/** The three calls of GitHub's REST API that a registry needs. It asks nothing while GitHub has asked to be left alone. */
export class GithubIssues {
  readonly #options: GithubOptions;
  readonly #cached = new Map<string, { readonly etag: string; readonly text: string; readonly next: string | null }>();
  #waitUntil = 0;

  constructor(options: GithubOptions) {
    this.#options = options;
  }

  /**
   * All issues that carry every label, newest first, page by page. Answers that have not changed cost nothing of the quota.
   * @throws `unauthorized`, `upstream_throttled`, `upstream_error`, `upstream_unreachable`, `upstream_malformed`, `cancelled`
   */
  async list(labels: readonly string[], state: 'open' | 'all', signal: AbortSignal): Promise<readonly GithubIssue[]> {
    const query = new URLSearchParams({ state, labels: labels.join(','), per_page: String(PER_PAGE) });
    const found: GithubIssue[] = [];
    let url: string | null = `${this.#issues()}?${query.toString()}`;
    for (let page = 0; url !== null && page < MAX_PAGES; page++) {
      const { text, next } = await this.#get(url, signal);
      found.push(...readIssues(text));
      url = next;
    }
    return found;
  }

  /** @returns its number */
  async create(fields: IssueFields, signal: AbortSignal): Promise<number> {
    const response = await this.#send('POST', this.#issues(), fields, signal);
    const value = parse(await response.text());
    if (!isPlainMap(value) || typeof value['number'] !== 'number') throw malformed();
    return value['number'];
  }

  async change(number: number, fields: IssueFields, signal: AbortSignal): Promise<void> {
    await this.#send('PATCH', `${this.#issues()}/${number}`, fields, signal);
  }

  #issues(): string {
    const { owner, repo, baseUrl = GITHUB_API } = this.#options;
    return `${baseUrl}/repos/${encodeURIComponent(owner)}/${encodeURIComponent(repo)}/issues`;
  }

  async #get(url: string, signal: AbortSignal): Promise<{ readonly text: string; readonly next: string | null }> {
    const known = this.#cached.get(url);
    const headers = known === undefined ? {} : { 'if-none-match': known.etag };
    const response = await this.#request(url, { method: 'GET', headers }, signal);
    if (response.status === 304 && known !== undefined) return known;
    await this.#check(response);
    const text = await response.text();
    if (text.length > MAX_BODY_CHARS) throw new TabmeshError('upstream_too_large', 'GitHub answered more than is read');
    const next = nextPage(response.headers.get('link'), url);
    const etag = response.headers.get('etag');
    this.#cached.delete(url);
    if (etag !== null) this.#cached.set(url, { etag, text, next });
    const [oldest] = this.#cached.keys();
    if (this.#cached.size > MAX_CACHED && oldest !== undefined) this.#cached.delete(oldest);
    return { text, next };
  }

  async #send(method: 'POST' | 'PATCH', url: string, fields: IssueFields, signal: AbortSignal): Promise<Response> {
    const headers = { 'content-type': 'application/json' };
    const response = await this.#request(url, { method, headers, body: JSON.stringify(fields) }, signal);
    await this.#check(response);
    return response;
  }

  async #request(
    url: string,
    init: Omit<RequestInit, 'headers'> & { readonly headers: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): Promise<Response> {
    const { fetch, token, clock } = this.#options;
    signal.throwIfAborted();
    const wait = this.#waitUntil - clock.now();
    if (wait > 0) throw throttled(wait);
    const headers = {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${token}`,
      'x-github-api-version': API_VERSION,
      ...init.headers,
    };
    try {
      // an answer that leads elsewhere would take the token along
      return await fetch(url, { ...init, headers, signal, redirect: 'error', credentials: 'omit', cache: 'no-store' });
    } catch (thrown) {
      if (signal.aborted) throw toTabmeshError(signal.reason, 'cancelled');
      throw new TabmeshError('upstream_unreachable', `GitHub cannot be reached: ${(thrown as Error).message}`, {
        retryable: true,
        cause: thrown,
      });
    }
  }

  async #check(response: Response): Promise<void> {
    if (response.ok) return;
    const { status, headers } = response;
    // an unread body would keep its connection
    await response.body?.cancel();
    const exhausted = headers.get('x-ratelimit-remaining') === '0' || headers.has('retry-after');
    if (status === 429 || (status === 403 && exhausted)) {
      const now = this.#options.clock.now();
      const wait = waitOf(headers, now);
      this.#waitUntil = now + wait;
      throw throttled(wait);
    }
    if (status === 401 || status === 403) {
      throw new TabmeshError('unauthorized', `GitHub refused the token (${status})`, {
        hint: 'It needs permission to read and write issues of the repository.',
      });
    }
    throw new TabmeshError('upstream_error', `GitHub answered ${status}`, {
      retryable: status >= 500,
      details: { status },
    });
  }
}

/** https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api */
function waitOf(headers: Headers, now: number): number {
  const after = Number(headers.get('retry-after') ?? NaN);
  if (Number.isFinite(after)) return after * 1000;
  const reset = Number(headers.get('x-ratelimit-reset') ?? NaN);
  return Number.isFinite(reset) ? Math.max(0, reset * 1000 - now) : DEFAULT_WAIT_MS;
}

/** The `rel="next"` of a Link header (RFC 8288), on the same origin only: the token goes nowhere else. */
function nextPage(link: string | null, from: string): string | null {
  const next = /<([^>]+)>\s*;[^,]*rel="?next"?/.exec(link ?? '')?.[1];
  if (next === undefined || !URL.canParse(next, from)) return null;
  const url = new URL(next, from);
  return url.origin === new URL(from).origin ? url.href : null;
}

function readIssues(text: string): GithubIssue[] {
  const value = parse(text);
  if (!Array.isArray(value)) throw malformed();
  return value.flatMap((issue: unknown) => {
    // pull requests are listed among issues
    if (!isPlainMap(issue) || issue['pull_request'] !== undefined) return [];
    const { number, title, body, labels } = issue;
    if (typeof number !== 'number' || typeof title !== 'string') throw malformed();
    const names = (Array.isArray(labels) ? labels : []).map((label: unknown) =>
      isPlainMap(label) ? String(label['name']) : String(label),
    );
    return [{ number, title, body: typeof body === 'string' ? body : '', labels: names }];
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed(cause);
  }
}

function malformed(cause?: unknown): TabmeshError {
  return new TabmeshError('upstream_malformed', 'GitHub answered something else than issues', { cause });
}

function throttled(waitMs: number): TabmeshError {
  return new TabmeshError('upstream_throttled', 'GitHub asks to be left alone for a while', {
    retryable: true,
    details: { retryAfterMs: waitMs },
  });
}
