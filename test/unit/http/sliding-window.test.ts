import fc from 'fast-check';

import { MemoryRateLimiter } from '../../../src/http/rate-limit/memory-rate-limiter.js';
import { takeFromWindow, type WindowState } from '../../../src/http/rate-limit/sliding-window.js';
import { rateLimits } from '../../support/rate-limits.js';

const WINDOW_MS = 60_000;

test('allows no burst above the limit, and at most twice the limit in a minute', () => {
  const steps = fc.array(fc.nat({ max: 5_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), steps, (limit, waitsMs) => {
      let state: WindowState | undefined;
      let nowMs = 1_000_000;
      const allowedAt: number[] = [];
      for (const waitMs of waitsMs) {
        nowMs += waitMs;
        const taken = takeFromWindow(state, { limit, windowMs: WINDOW_MS }, nowMs);
        state = taken.state;
        if (taken.decision.allowed) allowedAt.push(nowMs);
        expect(taken.decision.remaining).toBeGreaterThanOrEqual(0);
      }
      for (const [index, start] of allowedAt.entries()) {
        const following = allowedAt.slice(index).filter((at) => at < start + WINDOW_MS);
        expect(following.length).toBeLessThan(2 * limit + 1);
        // A fixed window fails this: it allows twice the limit in a moment, around the boundary of two windows.
        const excess = following.map((at, no) => no + 1 - limit * (1 + (at - start) / WINDOW_MS));
        expect(Math.max(...excess)).toBeLessThan(1e-6);
      }
    }),
  );
});

test('a refused request is allowed after `resetMs`, and not earlier', () => {
  const step = fc.record({ waitMs: fc.nat({ max: 20_000 }), weight: fc.integer({ min: 1, max: 12 }) });
  const steps = fc.array(step, { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), steps, (limit, requests) => {
      let state: WindowState | undefined;
      let nowMs = 1_000_000;
      for (const { waitMs, weight } of requests) {
        nowMs += waitMs;
        const take = (atMs: number) => takeFromWindow(state, { limit, windowMs: WINDOW_MS }, atMs, { weight });
        const { state: next, decision } = take(nowMs);
        state = next;
        if (decision.allowed) continue;
        expect(take(nowMs + decision.resetMs).decision.allowed).toBe(true);
        if (decision.resetMs > 2) expect(take(nowMs + decision.resetMs - 2).decision.allowed).toBe(false);
      }
    }),
  );
});

test('a request counts as many times as it weighs, and as no more than what is left after one', () => {
  const limits = { limit: 10, windowMs: WINDOW_MS };
  const first = takeFromWindow(undefined, limits, 1_000_000, { weight: 7 });
  expect(first.decision).toMatchObject({ allowed: true, remaining: 3 });
  expect(takeFromWindow(first.state, limits, 1_000_000, { weight: 4 }).decision.allowed).toBe(false);
  expect(takeFromWindow(first.state, limits, 1_000_000, { weight: 3 }).decision).toMatchObject({
    allowed: true,
    remaining: 0,
  });
  const one = takeFromWindow(undefined, limits, 1_000_000);
  expect(takeFromWindow(one.state, limits, 1_000_000, { weight: 200 }).decision.allowed).toBe(true);
});

test('keys are counted separately, and the least recently used are evicted', async () => {
  const limits = rateLimits({ reads: 1 });
  const limiter = new MemoryRateLimiter(limits, () => 1_000_000);
  expect((await limiter.take('reads', 'a')).allowed).toBe(true);
  expect((await limiter.take('reads', 'a')).allowed).toBe(false);
  expect((await limiter.take('writes', 'a')).allowed).toBe(true);
  for (let i = 0; i < 10_000; i += 1) await limiter.take('reads', `k${i}`);
  expect((await limiter.take('reads', 'a')).allowed).toBe(true);
});
