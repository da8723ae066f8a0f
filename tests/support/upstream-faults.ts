import type { ServerResponse } from 'node:http';

/** A way for an upstream to misbehave. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** 429 with NCBI's body; without seconds there is no `Retry-After` */
  | { readonly kind: 'throttled'; readonly retryAfterSeconds?: number }
  /** status 200 and XML that breaks off and is not well-formed */
  | { readonly kind: 'garbage' }
  /** status 200 and a web page */
  | { readonly kind: 'html' }
  /** status 200 and a body that never ends, until the client hangs up */
  | { readonly kind: 'endless' }
  /** takes the request and never answers */
  | { readonly kind: 'silence' }
  /** closes the connection without an answer */
  | { readonly kind: 'reset' }
  /** answers as it would without the fault, after a while */
  | { readonly kind: 'slow'; readonly ms: number };

const RATE_LIMIT_BODY = '{"error":"API rate limit exceeded","api-key":"192.0.2.7","count":"4","limit":"3"}\n';
const PAGE = '<!DOCTYPE html>\n<html><body><h1>We will be back soon</h1><p>Maintenance.<br></body></html>\n';
const GARBAGE = '<?xml version="1.0" ?>\n<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>9004</PMI\u0007 & <<';
/** One write of an endless body: big enough that a size limit of some MiB is soon reached. */
const ENDLESS_CHUNK = `<PubmedArticle>${' '.repeat(64 * 1024)}</PubmedArticle>`;

/** Misbehaves on `response`. @param answer what the server would have said, for `slow` */
export function commitFault(fault: Fault, response: ServerResponse, answer: () => void): void {
  switch (fault.kind) {
    case 'status':
      response.writeHead(fault.status, { 'content-type': 'text/plain', ...fault.headers }).end('trouble\n');
      return;
    case 'throttled': {
      const pause = fault.retryAfterSeconds === undefined ? {} : { 'retry-after': `${fault.retryAfterSeconds}` };
      response.writeHead(429, { 'content-type': 'application/json', ...pause }).end(RATE_LIMIT_BODY);
      return;
    }
    case 'garbage':
      response.writeHead(200, { 'content-type': 'text/xml; charset=UTF-8' }).end(GARBAGE);
      return;
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html; charset=UTF-8' }).end(PAGE);
      return;
    case 'endless':
      response.writeHead(200, { 'content-type': 'text/xml; charset=UTF-8' });
      response.write('<?xml version="1.0" ?>\n<PubmedArticleSet>');
      pourForever(response);
      return;
    case 'silence':
      return;
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'slow': {
      const timer = setTimeout(answer, fault.ms);
      response.once('close', () => {
        clearTimeout(timer);
      });
    }
  }
}

function pourForever(response: ServerResponse): void {
  if (response.destroyed) return;
  if (response.write(ENDLESS_CHUNK)) setImmediate(pourForever, response);
  else
    response.once('drain', () => {
      pourForever(response);
    });
}
