import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';

const PAGE = fileURLToPath(new URL('page', import.meta.url));
const SWAGGER = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

/**
 * The policy of this page alone. Swagger UI writes style attributes and shows its icons as data; it runs no inline script and
 * evaluates nothing, so that a description that got past its sanitizer still cannot run. It talks to this relay only.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const FILES = {
  '/docs': [join(PAGE, 'index.html'), 'text/html; charset=utf-8'],
  '/docs/page.css': [join(PAGE, 'page.css'), 'text/css; charset=utf-8'],
  '/docs/start.js': [join(PAGE, 'start.js'), 'text/javascript; charset=utf-8'],
  '/docs/swagger-ui.css': [join(SWAGGER, 'swagger-ui.css'), 'text/css; charset=utf-8'],
  '/docs/swagger-ui-bundle.js': [join(SWAGGER, 'swagger-ui-bundle.js'), 'text/javascript; charset=utf-8'],
} as const;

/** `GET /docs`: the API to read and try out. The page is the same for everybody; what it shows needs a token. */
export function docsRoutes(app: FastifyInstance): void {
  for (const [path, [file, type]] of Object.entries(FILES)) {
    app.get(path, (_request, reply) =>
      reply
        .headers({ 'content-security-policy': POLICY, 'cache-control': 'no-cache' })
        .type(type)
        .send(createReadStream(file)),
    );
  }
}
