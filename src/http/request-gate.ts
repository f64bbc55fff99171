import type { FastifyInstance, FastifyRequest } from 'fastify';

import type { AuthGuard } from './auth-guard.js';
import { sendContinue } from './expect-continue.js';
import { isLargeBody, type LargeBodies } from './large-bodies.js';
import type { RateLimitGuard } from './rate-limit/rate-limit-guard.js';
import { checkContent } from './request-content.js';
import { callerOf } from './request-context.js';
import { acquireSlot, type UserConcurrencyLimit } from './user-concurrency.js';

/** Absent: no limit. */
export interface RequestLimits {
  /** Concurrent requests of each user. */
  readonly slots?: UserConcurrencyLimit | undefined;
  /** Large bodies at a time. */
  readonly largeBodies?: LargeBodies | undefined;
}

/** Methods whose content Fastify does not read. */
const WITHOUT_CONTENT = new Set(['GET', 'HEAD']);

/**
 * Authentication and rate limits run before a byte of the content is read. These are hooks and not Nest guards, because
 * guards run when the whole content is in memory. They are not onRequest hooks, because those run before the CORS
 * headers are set.
 */
export function guardRequests(
  fastify: FastifyInstance,
  authentication: AuthGuard,
  rateLimits: RateLimitGuard | undefined,
  { slots, largeBodies }: RequestLimits,
): void {
  fastify.addHook('preParsing', async (request, reply) => {
    if (isPreflight(request)) return;
    await authentication.check(request);
    await rateLimits?.check(request, reply, false);
    const mayHaveBody = !WITHOUT_CONTENT.has(request.method);
    if (mayHaveBody) checkContent(request);
    // Before the content is read: a waiting request uses memory only for its head.
    const caller = callerOf(request);
    // Large bodies have slots of their own: those of one user that wait do not keep the user's other requests waiting.
    if (caller && largeBodies && mayHaveBody && isLargeBody(request))
      await largeBodies.admit(caller.userId, request, reply);
    else if (caller && slots) await acquireSlot(slots, caller.userId, request, reply);
    if (mayHaveBody) sendContinue(request, reply);
  });
  if (rateLimits) {
    fastify.addHook('preHandler', async (request, reply) => rateLimits.check(request, reply, true));
  }
}

/** The CORS plugin's route. Without the plugin, OPTIONS is handled like an unknown method. */
const isPreflight = ({ method, routeOptions }: FastifyRequest): boolean =>
  method === 'OPTIONS' && routeOptions.url === '*';
