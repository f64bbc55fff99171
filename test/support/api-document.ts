import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';

import { apiDocs } from '../../src/composition/api-docs.js';
import { AppModule } from '../../src/composition/app.module.js';
import type { Infrastructure } from '../../src/composition/infrastructure.js';
import { loadConfig } from '../../src/config/load-config.js';
import { createOpenApiDocument } from '../../src/http/docs/openapi-document.js';
import { loadRuntimes } from '../../src/runtimes/load-runtimes.js';

/**
 * The document that the service serves (test/e2e/api/openapi.test.ts compares the two), without a service: in preview
 * mode Nest reads modules and instantiates nothing.
 * @param settings beyond the defaults
 */
export async function makeApiDocument(settings: NodeJS.ProcessEnv = {}): Promise<OpenAPIObject> {
  const config = loadConfig({ VOIDRUNNER_ROLES: 'api', ...settings });
  const infra = { config, runtimes: loadRuntimes(config.RUNTIMES_DIR) } as Infrastructure;
  const app = await NestFactory.create(AppModule.forRoles(infra), new FastifyAdapter(), {
    preview: true,
    logger: false,
    abortOnError: false,
  });
  // As a client parses it: without undefined members.
  return JSON.parse(JSON.stringify(createOpenApiDocument(app, apiDocs(config, infra.runtimes)))) as OpenAPIObject;
}
