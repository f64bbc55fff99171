import type { FastifyInstance, FastifyRequest } from 'fastify';

import type { AuthGuard } from './auth-guard.js';
import { sendContinue } from './expect-continue.js';
import type { RateLimitGuard } from './rate-limit/rate-limit-guard.js';
import { checkContent } from './request-content.js';
import { callerOf } from './request-context.js';
import { acquireSlot, type UserConcurrencyLimit } from './user-concurrency.js';

/** Methods whose content Fastify does not read. */
const WITHOUT_CONTENT = new Set(['GET', 'HEAD']);

/**
 * Who asks, and how often, is known before a byte of the content is read. These are hooks and not guards of Nest, which
 * run when all of it is in memory; and not onRequest, which would be ahead of the headers of CORS.
 */
export function guardRequests(
  fastify: FastifyInstance,
  authentication: AuthGuard,
  rateLimits: RateLimitGuard | undefined,
  slots: UserConcurrencyLimit | undefined,
): void {
  fastify.addHook('preParsing', async (request, reply) => {
    if (isPreflight(request)) return;
    await authentication.check(request);
    await rateLimits?.check(request, reply, false);
    // Before the content is read: those who wait cost no more than their heads.
    const caller = callerOf(request);
    if (caller && slots) await acquireSlot(slots, caller.userId, request, reply);
    if (WITHOUT_CONTENT.has(request.method)) return;
    checkContent(request);
    sendContinue(request, reply);
  });
  if (rateLimits) {
    fastify.addHook('preHandler', async (request, reply) => rateLimits.check(request, reply, true));
  }
}

/** The route of the CORS plugin; without it, OPTIONS is answered where unknown methods are. */
const isPreflight = ({ method, routeOptions }: FastifyRequest): boolean =>
  method === 'OPTIONS' && routeOptions.url === '*';
