import fc from 'fast-check';

import { MemoryRateLimiter } from '../../../src/http/rate-limit/memory-rate-limiter.js';
import { takeFromWindow, type WindowState } from '../../../src/http/rate-limit/sliding-window.js';
import { rateLimits } from '../../support/rate-limits.js';

const WINDOW_MS = 60_000;

test('never allows twice the limit around a window boundary', () => {
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
        const inWindow = allowedAt.slice(index).filter((at) => at < start + WINDOW_MS).length;
        // The weighted count assumes the last window evenly spread; a clustered one lets a few more through.
        expect(inWindow).toBeLessThan(2 * limit + 1);
      }
    }),
  );
});

test('a refused caller who waits as told is allowed, and not earlier', () => {
  const steps = fc.array(fc.nat({ max: 20_000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), steps, (limit, waitsMs) => {
      let state: WindowState | undefined;
      let nowMs = 1_000_000;
      for (const waitMs of waitsMs) {
        nowMs += waitMs;
        const { state: next, decision } = takeFromWindow(state, { limit, windowMs: WINDOW_MS }, nowMs);
        state = next;
        if (decision.allowed) continue;
        expect(takeFromWindow(state, { limit, windowMs: WINDOW_MS }, nowMs + decision.resetMs).decision.allowed).toBe(
          true,
        );
        if (decision.resetMs > 2) {
          expect(
            takeFromWindow(state, { limit, windowMs: WINDOW_MS }, nowMs + decision.resetMs - 2).decision.allowed,
          ).toBe(false);
        }
      }
    }),
  );
});

test('keys are counted separately, and old keys make room for an attacker’s many', async () => {
  const limits = rateLimits({ reads: 1 });
  const limiter = new MemoryRateLimiter(limits, () => 1_000_000);
  expect((await limiter.take('reads', 'a')).allowed).toBe(true);
  expect((await limiter.take('reads', 'a')).allowed).toBe(false);
  expect((await limiter.take('writes', 'a')).allowed).toBe(true);
  for (let i = 0; i < 10_000; i += 1) await limiter.take('reads', `k${i}`);
  expect((await limiter.take('reads', 'a')).allowed).toBe(true);
});
