import { backoffMs } from '../../../packages/client/src/transport/backoff.js';
import { retryAfterMs } from '../../../packages/client/src/transport/retry-after.js';

const NOW = Date.parse('2026-01-02T03:04:05Z');

test.each([
  ['0', 0],
  ['120', 120_000],
  ['Fri, 02 Jan 2026 03:04:35 GMT', 30_000],
  ['Fri, 02 Jan 2026 03:00:00 GMT', 0],
  ['soon', null],
  ['-1', null],
  ['1.5', null],
  ['', null],
])('Retry-After: %s', (value, ms) => {
  expect(retryAfterMs(new Headers({ 'retry-after': value }), NOW)).toBe(ms);
});

test('without the header there is nothing to wait for', () => {
  expect(retryAfterMs(new Headers(), NOW)).toBeNull();
});

test('the backoff grows up to its bound, with full jitter', () => {
  const longest = (tries: number) => Math.max(...Array.from({ length: 500 }, () => backoffMs(tries)));
  const shortest = (tries: number) => Math.min(...Array.from({ length: 500 }, () => backoffMs(tries)));
  expect(longest(1)).toBeLessThanOrEqual(250);
  expect(longest(3)).toBeGreaterThan(500);
  expect(longest(3)).toBeLessThanOrEqual(1_000);
  expect(longest(100)).toBeLessThanOrEqual(8_000);
  expect(shortest(100)).toBeLessThan(1_000);
});
