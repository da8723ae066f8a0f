import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerEutils } from './answer.ts';
import { loadDemoLibrary } from './library.ts';

/** A running demo upstream. */
export interface DemoUpstream {
  /** origin that takes the place of `https://eutils.ncbi.nlm.nih.gov`, without a slash at the end */
  readonly url: string;
  /** ends open connections too */
  close(): Promise<void>;
}

/**
 * Starts an HTTP server that answers esearch and efetch from the self-written records: what `--demo` uses as PubMed.
 * @param options.port 0 for any free one
 * @throws when the fixtures are missing or the port is taken
 */
export async function startDemoUpstream(options: {
  readonly port: number;
  readonly host: string;
}): Promise<DemoUpstream> {
  const library = await loadDemoLibrary();
  const server = createServer((request, response) => {
    if (request.method !== 'GET') {
      response.writeHead(405, { allow: 'GET' }).end();
      return;
    }
    const { status, type, body } = answerEutils(library, new URL(request.url ?? '/', 'http://demo.invalid'));
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return { url: `http://${host}:${port}`, close: () => close(server) };
}

function listen(server: Server, { port, host }: { readonly port: number; readonly host: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
    server.closeAllConnections();
  });
}
