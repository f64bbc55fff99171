import { EventEmitter } from 'node:events';

import type { FastifyReply, FastifyRequest } from 'fastify';

import { HttpProblem } from '../../../src/http/problem.js';
import { DelayedRequests, type Sleep } from '../../../src/http/rate-limit/delayed-requests.js';
import { MemoryRateLimiter } from '../../../src/http/rate-limit/memory-rate-limiter.js';
import { RateLimitGuard, type RateRule } from '../../../src/http/rate-limit/rate-limit-guard.js';
import { identify } from '../../../src/http/request-context.js';
import { rateLimits } from '../../support/rate-limits.js';

const limits = rateLimits({ login_everywhere: 1, login_address: 1 });
const ruled = (...rateRules: RateRule[]): FastifyRequest =>
  ({ method: 'POST', routeOptions: { config: { rateRules } } }) as unknown as FastifyRequest;
const aReply = (): FastifyReply => {
  const raw = Object.assign(new EventEmitter(), { req: { socket: new EventEmitter() } });
  return { getHeader: () => undefined, headers: () => undefined, raw } as unknown as FastifyReply;
};
const aGuard = (sleep: Sleep) => new RateLimitGuard(new MemoryRateLimiter(limits), new DelayedRequests(sleep));
const untilAborted: Sleep = (_ms, signal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));

test('a limit with `delays` delays requests, and refuses none', async () => {
  const waits: number[] = [];
  const waited = Promise.withResolvers<void>();
  const guard = aGuard((ms) => {
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

test('a delayed request is still refused by another limit', async () => {
  const guard = aGuard(async () => undefined);
  const request = ruled(
    { category: 'login_everywhere', keyOf: () => 'ada', delays: true },
    { category: 'login_address', keyOf: () => '192.0.2.1' },
  );
  await guard.check(request, aReply(), false);
  await expect(guard.check(request, aReply(), false)).rejects.toBeInstanceOf(HttpProblem);
});

test('100 requests per key and 1,000 in all are delayed at a time; the next one is refused', async () => {
  const guard = aGuard(untilAborted);
  const request = (key: string) => ruled({ category: 'login_everywhere', keyOf: () => key, delays: true });
  const one = async (key: string, reply = aReply()): Promise<unknown> => {
    const check = guard.check(request(key), reply, false);
    const held = new Promise((resolve) => setImmediate(() => resolve('held')));
    return Promise.race([check.catch((error: unknown) => error), held]);
  };
  const many = (key: string, count: number) => Promise.all(Array.from({ length: count }, () => one(key)));
  for (let no = 0; no < 10; no += 1) await one(`account ${no}`);
  expect(new Set(await many('account 0', 100))).toEqual(new Set(['held']));
  expect(await one('account 0')).toMatchObject({ status: 429 });
  for (let no = 1; no < 10; no += 1) expect(new Set(await many(`account ${no}`, 100))).toEqual(new Set(['held']));
  await one('another');
  expect(await one('another')).toMatchObject({ status: 429 });
});

test('a delay ends when the client disconnects', async () => {
  const guard = aGuard(untilAborted);
  const request = ruled({ category: 'login_everywhere', keyOf: () => 'ada', delays: true });
  await guard.check(request, aReply(), false);
  const reply = aReply();
  const checked = guard.check(request, reply, false);
  await new Promise(setImmediate);
  reply.raw.emit('close');
  await expect(checked).rejects.toMatchObject({ code: 'client_gone' });
});

test('requests are counted per API key, and apart from those of the person', async () => {
  const guard = new RateLimitGuard(new MemoryRateLimiter(rateLimits({ reads: 1 })));
  const from = (key: string | null): FastifyRequest => {
    const request = { method: 'GET', raw: {}, routeOptions: { config: {} } } as unknown as FastifyRequest;
    identify(request, {
      userId: 'ada',
      sessionId: null,
      isAdmin: false,
      key: key === null ? null : { id: key, scopes: [] },
    });
    return request;
  };
  for (const key of ['one', 'other', null]) {
    await guard.check(from(key), aReply(), false);
    await expect(guard.check(from(key), aReply(), false)).rejects.toMatchObject({ status: 429 });
  }
});
