import type { FastifyInstance } from 'fastify';

import { HttpProblem } from './problem.js';
import { routeConfig } from './route-options.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    originChecked?: boolean;
  }
}

/**
 * `@OriginChecked()`: a page of an origin that is not in CORS_ALLOWED_ORIGINS gets a 403 before its credential is read.
 * Host is no evidence for the own origin: after DNS rebinding, a foreign page sends its own name in both headers.
 */
export const OriginChecked = () => routeConfig({ originChecked: true });

/** To be called before authentication is. */
export function checkOrigins(fastify: FastifyInstance, allowed: readonly string[]): void {
  fastify.addHook('preParsing', async ({ headers: { origin }, routeOptions: { config } }) => {
    if (config.originChecked !== true || origin === undefined || allowed.includes(origin)) return;
    throw new HttpProblem(403, 'origin_not_allowed', 'Pages of this origin may not use this service');
  });
}
