import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';

import { API_BASE } from '../api-path.js';
import { createAsyncApiDocument, type EventDocsOptions } from './asyncapi-document.js';
import { createOpenApiDocument, type DocsOptions } from './openapi-document.js';

/** The page loads its own files and calls its own origin; Swagger UI sets styles on elements. */
const DOCS_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const ASSETS = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
} as const;

/** The equivalent of `@Public()` on a controller's route. */
const PUBLIC = { config: { public: true } };

const INIT_JS = `window.ui = SwaggerUIBundle({
  url: '/docs/json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
});
`;

const page = (title: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title}</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/init.js"></script>
  </body>
</html>
`;

/**
 * `/docs` (Swagger UI, from files on disk: it works offline), `/docs/json`, `/swagger.json`, `/asyncapi.json` and `/api`.
 * Not SwaggerModule.setup: on Fastify it needs @fastify/static, for only three files, and its page has inline scripts.
 * Call it before the application is initialised.
 */
export function serveDocs(app: NestFastifyApplication, options: DocsOptions): void {
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  let document: string | undefined;
  const sendDocument = async (_request: unknown, reply: FastifyReply) => {
    document ??= JSON.stringify(createOpenApiDocument(app, options));
    return reply.type('application/json; charset=utf-8').send(document);
  };
  fastify.get('/docs/json', PUBLIC, sendDocument);
  fastify.get('/swagger.json', PUBLIC, sendDocument);
  if (options.events) serveEventDocs(fastify, options.events);
  fastify.get('/docs', PUBLIC, async (_request, reply) =>
    sendPage(reply, 'text/html; charset=utf-8', page(options.title)),
  );
  fastify.get('/docs/init.js', PUBLIC, async (_request, reply) =>
    sendPage(reply, 'text/javascript; charset=utf-8', INIT_JS),
  );
  for (const [name, type] of Object.entries(ASSETS)) {
    fastify.get(`/docs/${name}`, PUBLIC, async (_request, reply) => {
      reply.header('cache-control', 'public, max-age=3600');
      return sendPage(reply, type, await readFile(join(assetsFolder(), name)));
    });
  }
  fastify.get('/api', PUBLIC, async () => ({
    name: options.title,
    version: options.version,
    base_path: `/${API_BASE}`,
    documentation: '/docs',
    openapi: '/swagger.json',
    ...(options.events && { asyncapi: '/asyncapi.json' }),
    health: '/health',
  }));
}

function serveEventDocs(fastify: FastifyInstance, options: EventDocsOptions): void {
  let document: string | undefined;
  fastify.get('/asyncapi.json', PUBLIC, async (_request, reply) => {
    document ??= JSON.stringify(createAsyncApiDocument(options));
    return reply.type('application/json; charset=utf-8').send(document);
  });
}

function sendPage(reply: FastifyReply, type: string, body: string | Buffer): FastifyReply {
  return reply.header('content-security-policy', DOCS_CSP).type(type).send(body);
}

/** swagger-ui-dist comes with @nestjs/swagger. */
function assetsFolder(): string {
  const { resolve } = createRequire(import.meta.resolve('@nestjs/swagger'));
  return join(resolve('swagger-ui-dist/package.json'), '..');
}
