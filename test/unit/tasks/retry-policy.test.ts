import fc from 'fast-check';

import { FAILURE_REASONS, RETRYABLE_REASONS, type RetryPolicy } from '../../../src/tasks/domain/execution-shape.js';
import { afterFailure } from '../../../src/tasks/domain/retry-policy.js';
import { RETRY } from '../../support/builders/tasks.js';

/** The largest random number below 1. */
const ALMOST_ONE = 1 - Number.EPSILON / 2;
/** Almost no jitter: the delay is its upper bound. */
const delayOf = (policy: RetryPolicy, attemptsUsed: number, random = ALMOST_ONE): number => {
  const next = afterFailure(policy, 'infrastructure', attemptsUsed, random);
  if (next.then !== 'retry') throw new Error(`not retried: ${next.then}`);
  return next.delayMs;
};
const policy: RetryPolicy = { ...RETRY, max_attempts: 1_000_000 };

describe('what follows a failure', () => {
  test.each(FAILURE_REASONS)('%s ends the execution if the policy does not retry it', (reason) => {
    const asReason = reason === 'cpu_time' ? 'timeout' : reason;
    const retry_on = RETRYABLE_REASONS.filter((other) => other !== asReason);
    expect(afterFailure({ ...policy, retry_on }, reason, 1, 0.5)).toEqual({ then: 'end' });
  });

  test.each(RETRYABLE_REASONS)('%s is retried if the policy does', (reason) => {
    expect(afterFailure({ ...policy, retry_on: [reason] }, reason, 1, 0.5)).toEqual({ then: 'retry', delayMs: 500 });
  });

  test('CPU time that is used up is retried as a timeout', () => {
    expect(afterFailure({ ...policy, retry_on: ['timeout'] }, 'cpu_time', 1, 0.5)).toMatchObject({ then: 'retry' });
    expect(afterFailure({ ...policy, retry_on: ['exit_code'] }, 'cpu_time', 1, 0.5)).toEqual({ then: 'end' });
  });

  test('the budget counts attempts, including the first', () => {
    const three = { ...policy, max_attempts: 3 };
    const ends = [1, 2, 3, 4].map((used) => afterFailure(three, 'infrastructure', used, 0.5).then);
    expect(ends).toEqual(['retry', 'retry', 'dead_letter', 'dead_letter']);
  });

  test('a policy of one attempt dead-letters what it would have retried', () => {
    expect(afterFailure({ ...policy, max_attempts: 1 }, 'timeout', 1, 0.5)).toEqual({ then: 'dead_letter' });
  });
});

describe('the delay', () => {
  test('doubles from the first, up to the cap', () => {
    const ceilings = [1, 2, 3, 6, 7, 8].map((used) => delayOf(policy, used) + 1);
    expect(ceilings).toEqual([1_000, 2_000, 4_000, 32_000, 60_000, 60_000]);
  });

  test('is jittered over the whole range', () => {
    expect([0, 0.25, 0.5, ALMOST_ONE].map((random) => delayOf(policy, 2, random))).toEqual([0, 500, 1_000, 1_999]);
  });

  test('stays at the cap if the backoff overflows', () => {
    const steep = { ...policy, backoff_factor: 1e300 };
    expect(delayOf(steep, 1_000) + 1).toBe(60_000);
  });

  test('stays zero if the first is zero, even if the backoff overflows', () => {
    const none = { ...policy, initial_delay_ms: 0, backoff_factor: 1e300 };
    expect([1, 2, 1_000].map((used) => delayOf(none, used))).toEqual([0, 0, 0]);
  });

  test('is a whole number between zero and the cap, for any policy', () => {
    const anyPolicy = fc.record({
      initial_delay_ms: fc.nat(3_600_000),
      backoff_factor: fc.oneof(fc.double({ min: 1, max: 10, noNaN: true }), fc.constant(Number.MAX_VALUE)),
      max_delay_ms: fc.nat(3_600_000),
    });
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(anyPolicy, fc.integer({ min: 1, max: 10_000 }), random, (drawn, used, chance) => {
        const delayMs = delayOf({ ...policy, ...drawn }, used, chance);
        expect(Number.isInteger(delayMs)).toBe(true);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(drawn.max_delay_ms);
      }),
    );
  });
});
