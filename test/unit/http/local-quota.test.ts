import { LocalQuota } from '../../../src/http/rate-limit/local-quota.js';

const decision = (limit: number, remaining: number) => ({ allowed: true, limit, remaining, resetMs: 60_000 });

const taken = (localQuota: LocalQuota, nowMs: number): number => {
  let count = 0;
  while (localQuota.tryTake('k', nowMs)) count += 1;
  return count;
};

test('without knowledge nothing is allowed locally', () => {
  expect(new LocalQuota().tryTake('k', 0)).toBeUndefined();
});

test.each([
  ['a hundredth of a high limit', 6_000, 5_000, 60],
  ['nothing of a low limit', 60, 60, 0],
  ['nothing in the last tenth', 6_000, 599, 0],
  ['up to the last tenth', 6_000, 610, 10],
])('allows %s', (_what, limit, remaining, count) => {
  const localQuota = new LocalQuota();
  localQuota.learn('k', decision(limit, remaining), 0);
  expect(taken(localQuota, 0)).toBe(count);
  expect(localQuota.takeUncounted('k')).toBe(count);
  expect(localQuota.takeUncounted('k')).toBe(0);
});

test('knowledge lasts for a second', () => {
  const localQuota = new LocalQuota();
  localQuota.learn('k', decision(6_000, 6_000), 0);
  expect(localQuota.tryTake('k', 1_000)?.remaining).toBe(5_999);
  expect(localQuota.tryTake('k', 1_001)).toBeUndefined();
});

test('requests allowed during a query are counted with the next one', () => {
  const localQuota = new LocalQuota();
  localQuota.learn('k', decision(6_000, 6_000), 0);
  expect(localQuota.takeUncounted('k')).toBe(0);
  localQuota.tryTake('k', 0);
  localQuota.learn('k', decision(6_000, 5_999), 0);
  expect(localQuota.takeUncounted('k')).toBe(1);
});
