import { createServer } from 'node:http';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
};

/** Serves the bench's page from a free port of loopback. */
export interface PageServer {
  readonly origin: string;
  close(): Promise<void>;
}

/**
 * Starts a {@link PageServer}. Its pages are cross-origin isolated, which makes their clock fine enough (5 µs instead of
 * 100) for calls of less than a millisecond.
 */
export async function servePage(folder: string): Promise<PageServer> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
    const name = TYPES[extname(path)] === undefined ? 'index.html' : path;
    readFile(join(folder, name)).then(
      (content) => {
        response.writeHead(200, {
          'content-type': TYPES[extname(name)],
          'cross-origin-opener-policy': 'same-origin',
          'cross-origin-embedder-policy': 'require-corp',
        });
        response.end(content);
      },
      () => {
        response.writeHead(404).end();
      },
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
