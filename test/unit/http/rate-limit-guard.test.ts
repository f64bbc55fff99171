import type { FastifyReply, FastifyRequest } from 'fastify';

import { HttpProblem } from '../../../src/platform/http/problem.js';
import { MemoryRateLimiter } from '../../../src/platform/http/rate-limit/memory-rate-limiter.js';
import { RateLimitGuard, type RateRule } from '../../../src/platform/http/rate-limit/rate-limit-guard.js';
import { rateLimits } from '../../support/rate-limits.js';

const limits = rateLimits({ login_everywhere: 1, login_address: 1 });
const ruled = (...rateRules: RateRule[]): FastifyRequest =>
  ({ method: 'POST', routeOptions: { config: { rateRules } } }) as unknown as FastifyRequest;
const aReply = () => ({ getHeader: () => undefined, headers: () => undefined }) as unknown as FastifyReply;

test('a limit that delays lets a request through later, and refuses none', async () => {
  const waits: number[] = [];
  const waited = Promise.withResolvers<void>();
  const guard = new RateLimitGuard(new MemoryRateLimiter(limits), (ms) => {
    waits.push(ms);
    return waited.promise;
  });
  const request = ruled({ category: 'login_everywhere', keyOf: () => 'ada', delays: true });
  await guard.check(request, aReply(), false);
  expect(waits).toEqual([]);
  let isThrough = false;
  const late = guard.check(request, aReply(), false).then(() => (isThrough = true));
  await new Promise(setImmediate);
  expect([waits, isThrough]).toEqual([[2_000], false]);
  waited.resolve();
  await late;
});

test('a delay does not pass another limit by', async () => {
  const guard = new RateLimitGuard(new MemoryRateLimiter(limits), async () => undefined);
  const request = ruled(
    { category: 'login_everywhere', keyOf: () => 'ada', delays: true },
    { category: 'login_address', keyOf: () => '192.0.2.1' },
  );
  await guard.check(request, aReply(), false);
  await expect(guard.check(request, aReply(), false)).rejects.toBeInstanceOf(HttpProblem);
});

test('so many are delayed at a time; the next one is refused', async () => {
  const never = new Promise(() => undefined);
  const guard = new RateLimitGuard(new MemoryRateLimiter(limits), () => never);
  const request = ruled({ category: 'login_everywhere', keyOf: () => 'ada', delays: true });
  await guard.check(request, aReply(), false);
  for (let count = 0; count < 1_000; count += 1) void guard.check(request, aReply(), false);
  await new Promise(setImmediate);
  await expect(guard.check(request, aReply(), false)).rejects.toMatchObject({ status: 429 });
});
