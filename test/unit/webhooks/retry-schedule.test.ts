import fc from 'fast-check';

import { DELIVERY_ATTEMPTS_MAX, nextAttemptAt } from '../../../src/webhooks/domain/retry-schedule.js';

const failedAt = new Date('2026-01-01T00:00:00Z');
const delayMs = (attempt: number, random: number) =>
  (nextAttemptAt(attempt, failedAt, random)?.getTime() ?? Number.NaN) - failedAt.getTime();

test('5 s, 30 s, 2 min, 10 min, 1 h, 6 h and 24 h after a failure, and then no more', () => {
  const seconds = [1, 2, 3, 4, 5, 6, 7].map((attempt) => delayMs(attempt, 0) / 1_000);
  expect(seconds).toEqual([5, 30, 120, 600, 3_600, 21_600, 86_400]);
  expect(DELIVERY_ATTEMPTS_MAX).toBe(8);
  expect(nextAttemptAt(8, failedAt, 0)).toBeNull();
});

test('with up to a fifth of jitter', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
      expect(delayMs(attempt, random)).toBeGreaterThanOrEqual(delayMs(attempt, 0));
      expect(delayMs(attempt, random)).toBeLessThanOrEqual(delayMs(attempt, 0) * 1.2);
    }),
  );
});
