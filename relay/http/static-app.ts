import { existsSync } from 'node:fs';
import { join } from 'node:path';
import compress from '@fastify/compress';
import staticFiles from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { TabmeshError } from '../../src/lib/errors.ts';
import { sendError } from './errors.ts';

/** Paths that are never the app's: a missing page there is an error for a program, not a view. */
const RESERVED = /^\/(api|docs|openapi\.json|\.well-known|mcp|fetch|metrics|health|ready|config|room|assets)(\/|$)/;
/** The build names these by their content's hash. */
const HASHED = /[\\/]assets[\\/]/;
const FOR_EVER = 'public, max-age=31536000, immutable';
/** Kept, and asked about each time: index.html, the service worker, the manifest. */
const REVALIDATE = 'no-cache';
/** Below one packet compression saves no time. */
const MIN_COMPRESSED_BYTES = 1024;

/**
 * Serves the built app; any path that could be one of its views gets `index.html`.
 * @param folder absolute
 */
export async function staticApp(app: FastifyInstance, folder: string): Promise<void> {
  if (!existsSync(join(folder, 'index.html'))) {
    app.setNotFoundHandler((request, reply) => (isView(request) ? sendNotBuilt(reply) : sendNotFound(reply)));
    return;
  }
  await app.register(compress, { threshold: MIN_COMPRESSED_BYTES, globalDecompression: false });
  await app.register(staticFiles, {
    root: folder,
    preCompressed: true,
    cacheControl: false,
    // files that a later build adds are found too; what is missing goes to the handler below
    wildcard: true,
    setHeaders: (reply, path) => {
      reply.header('cache-control', HASHED.test(path) ? FOR_EVER : REVALIDATE);
    },
  });
  app.setNotFoundHandler((request, reply) => {
    if (isView(request)) return reply.sendFile('index.html');
    return sendNotFound(reply);
  });
}

function isView({ method, url, headers }: FastifyRequest): boolean {
  const path = url.split('?')[0] ?? '';
  // a name with an extension is a file that is gone, such as a chunk of an older build
  const isFile = /\.[^/]*$/.test(path);
  return (
    (method === 'GET' || method === 'HEAD') &&
    !RESERVED.test(path) &&
    !isFile &&
    (headers.accept ?? '*/*').split(',').some((type) => /^\s*(text\/html|\*\/\*)/.test(type))
  );
}

function sendNotFound(reply: FastifyReply): FastifyReply {
  return sendError(reply, new TabmeshError('not_found', 'there is nothing at this address'));
}

function sendNotBuilt(reply: FastifyReply): FastifyReply {
  return reply
    .code(503)
    .header('cache-control', 'no-store')
    .type('text/plain; charset=utf-8')
    .send('The app has not been built. Run "npm run build", or start with "npm start", and reload.\n');
}
