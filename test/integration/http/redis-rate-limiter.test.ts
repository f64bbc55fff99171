import { readFileSync } from 'node:fs';

import { RATE_WINDOW_MS } from '../../../src/http/rate-limit/rate-limiter.js';
import { RedisRateLimiter } from '../../../src/http/rate-limit/redis-rate-limiter.js';
import { costOf, takeFromWindow, type WindowState } from '../../../src/http/rate-limit/sliding-window.js';
import { closeRedis } from '../../../src/platform/redis/create-redis.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { eventually } from '../../support/eventually.js';
import { rateLimits } from '../../support/rate-limits.js';
import { startPrivateRedis, testRedis, type TestRedis } from '../../support/redis.js';

const LUA = new URL('../../../src/http/rate-limit/sliding-window.lua', import.meta.url);

const limits = rateLimits({ login_account: 3, writes: 600, reads: 6_000 });

describe('rate limits in Redis', () => {
  let shared: TestRedis;
  beforeAll(async () => {
    shared = await testRedis();
  });
  afterAll(() => shared.close());

  /** With a long timeout: another test covers a slow Redis. */
  const limiter = () =>
    new RedisRateLimiter({
      redis: shared.redis,
      limits,
      namespace: `{${shared.namespace}}`,
      responseTimeoutMs: 30_000,
      log: silentLog,
    });

  test('are counted over all processes', async () => {
    const [one, other] = [limiter(), limiter()];
    const answers = await Promise.all(
      [one, other, one, other, one].map((process) => process.take('login_account', 'ada')),
    );
    expect(answers.filter(({ allowed }) => allowed)).toHaveLength(3);
    const refused = answers.find(({ allowed }) => !allowed);
    expect(refused).toMatchObject({ limit: 3, remaining: 0 });
    expect(refused?.resetMs).toBeGreaterThan(0);
    expect(refused?.resetMs).toBeLessThanOrEqual(2 * RATE_WINDOW_MS);
  });

  test('the keys contain no email, and expire', async () => {
    await limiter().take('login_account', 'ada@example.com');
    const keys = await shared.redis.keys(`{${shared.namespace}}:rate:*`);
    expect(keys.join()).not.toContain('example.com');
    for (const key of keys) expect(await shared.redis.pttl(key)).toBeGreaterThan(0);
  });

  test('a process exceeds a high limit by at most 1 %', async () => {
    const [one, other] = [limiter(), limiter()];
    let allowed = 0;
    const startedAt = performance.now();
    for (let i = 0; i < 650; i += 1) {
      for (const process of [one, other]) if ((await process.take('writes', 'busy')).allowed) allowed += 1;
    }
    // The window slides while the loop runs.
    const refilled = (performance.now() - startedAt) / RATE_WINDOW_MS;
    expect(allowed).toBeGreaterThanOrEqual(limits.writes);
    expect(allowed).toBeLessThanOrEqual(limits.writes * (1.02 + refilled));
  });

  test('the script and the function decide alike', async () => {
    const key = `{${shared.namespace}}:rate:same`;
    const script = readFileSync(LUA, 'utf8').replace("redis.call('TIME')", '{ARGV[5], ARGV[6]}');
    let state: WindowState | undefined;
    let nowMs = 1_700_000_000_000;
    for (let step = 0; step < 400; step += 1) {
      nowMs += (step * 7_919) % 9_001;
      const uncounted = step % 17 === 0 ? 2 : 0;
      const weight = step % 5 === 0 ? step % 9 || 1 : 1;
      const { state: next, decision } = takeFromWindow(state, { limit: 5, windowMs: RATE_WINDOW_MS }, nowMs, {
        uncounted,
        weight,
      });
      state = next;
      const time = [Math.floor(nowMs / 1_000), (nowMs % 1_000) * 1_000];
      const answer = await shared.redis.eval(script, 1, key, 5, RATE_WINDOW_MS, uncounted, costOf(weight, 5), ...time);
      expect({ step, answer }).toEqual({
        step,
        answer: [decision.allowed ? 1 : 0, decision.remaining, decision.resetMs],
      });
    }
  });
});

test('while Redis is unavailable or frozen, each process counts for itself', async () => {
  const server = await startPrivateRedis();
  const redis = await server.connect();
  try {
    // Long enough for a Redis that responds, on a busy machine.
    const timeout = { responseTimeoutMs: 1_500 };
    const limiter = new RedisRateLimiter({ redis, limits, namespace: 'test', log: silentLog, ...timeout });
    const keysInRedis = () => redis.keys('test:rate:*');
    expect((await limiter.take('login_account', 'ada')).remaining).toBe(2);
    expect(await keysInRedis()).toHaveLength(1);

    server.freeze();
    const answers = [];
    for (let i = 0; i < 5; i += 1) answers.push(await limiter.take('login_account', 'ada'));
    expect(answers.map(({ allowed }) => allowed)).toEqual([true, true, true, false, false]);

    await server.kill();
    expect((await limiter.take('login_account', 'grace')).allowed).toBe(true);
    await server.start();
    await eventually(async () => {
      await limiter.take('reads', 'anyone');
      expect(await keysInRedis()).toHaveLength(1);
    });
  } finally {
    await closeRedis(redis);
    await server.stop();
  }
});
