import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { startUpstream } from './http-listener.ts';

export interface StoredIssue {
  readonly number: number;
  title: string;
  body: string;
  labels: string[];
  state: 'open' | 'closed';
  readonly pull_request?: object;
}

/** A stand-in for GitHub's REST API of issues, as its documentation describes it. */
export interface GithubServer {
  readonly url: string;
  readonly issues: StoredIssue[];
  readonly requests: { readonly method: string; readonly url: URL; readonly headers: IncomingMessage['headers'] }[];
  /** answers 304, which cost no quota */
  readonly unchanged: () => number;
  /** answers this to every request; null: behaves */
  refuse(
    answer: { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string } | null,
  ): void;
  close(): Promise<void>;
}

export const TOKEN = 'github-token-for-tests';
const ISSUES = '/repos/owner/repo/issues';

/** Starts a {@link GithubServer} on a free loopback port. @param perPage issues a page at most */
export async function startGithub(perPage = 100): Promise<GithubServer> {
  const issues: StoredIssue[] = [];
  const requests: GithubServer['requests'] = [];
  let refusal: Parameters<GithubServer['refuse']>[0] = null;
  let unchanged = 0;

  const json = (response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}) => {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
    response.end(JSON.stringify(value));
  };
  const shown = (issue: StoredIssue) => ({ ...issue, labels: issue.labels.map((name) => ({ name })) });

  const list = (request: IncomingMessage, response: ServerResponse, url: URL) => {
    const labels = (url.searchParams.get('labels') ?? '').split(',').filter(Boolean);
    const state = url.searchParams.get('state') ?? 'open';
    const page = Number(url.searchParams.get('page') ?? 1);
    const size = Math.min(perPage, Number(url.searchParams.get('per_page') ?? 30));
    const found = issues
      .filter((issue) => state === 'all' || issue.state === state)
      .filter((issue) => labels.every((label) => issue.labels.includes(label)))
      .reverse();
    const part = found.slice((page - 1) * size, page * size).map(shown);
    const etag = `"${createHash('sha256').update(JSON.stringify(part)).digest('hex')}"`;
    const headers: Record<string, string> = { etag };
    if (page * size < found.length) {
      const next = new URL(url);
      next.searchParams.set('page', String(page + 1));
      headers['link'] = `<${next.href}>; rel="next", <${next.href}>; rel="last"`;
    }
    if (request.headers['if-none-match'] === etag) {
      unchanged++;
      response.writeHead(304, headers).end();
    } else json(response, 200, part, headers);
  };

  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host ?? ''}`);
    requests.push({ method: request.method ?? '', url, headers: request.headers });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (refusal !== null) {
      response.writeHead(refusal.status, refusal.headers).end(refusal.body ?? '{}');
      return;
    }
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      json(response, 401, { message: 'Bad credentials' });
      return;
    }
    const fields = chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString()) as Partial<StoredIssue>);
    if (request.method === 'GET' && url.pathname === ISSUES) list(request, response, url);
    else if (request.method === 'POST' && url.pathname === ISSUES) {
      const issue: StoredIssue = {
        number: issues.length + 1,
        title: fields.title ?? '',
        body: fields.body ?? '',
        labels: fields.labels ?? [],
        state: 'open',
      };
      issues.push(issue);
      json(response, 201, shown(issue));
    } else if (request.method === 'PATCH' && url.pathname.startsWith(`${ISSUES}/`)) {
      const issue = issues.find(({ number }) => number === Number(url.pathname.split('/').at(-1)));
      if (issue === undefined) json(response, 404, { message: 'Not Found' });
      else json(response, 200, shown(Object.assign(issue, fields)));
    } else json(response, 404, { message: 'Not Found' });
  };

  const { url, close } = await startUpstream((request, response) => void listener(request, response));
  return {
    url,
    issues,
    requests,
    unchanged: () => unchanged,
    refuse(answer) {
      refusal = answer;
    },
    close,
  };
}
