import { afterThisTurn } from '../../../src/platform/async/delay.js';
import { batched, inOrderOf } from '../../../src/platform/postgres/batched.js';

const doubling = (keysMax?: number) => {
  const asked: (readonly number[])[] = [];
  const double = batched(async (keys: readonly number[]) => {
    asked.push(keys);
    return keys.map((key) => key * 2);
  }, keysMax);
  return { asked, double };
};

test('concurrent callers share one lookup, and each gets its own result', async () => {
  const { asked, double } = doubling();
  expect(await Promise.all([3, 1, 3].map(double))).toEqual([6, 2, 6]);
  expect(asked).toEqual([[3, 1, 3]]);
});

test('the number of concurrent lookups and their size are limited', async () => {
  const { asked, double } = doubling(2);
  expect(await Promise.all([1, 2, 3].map(double))).toEqual([2, 4, 6]);
  expect(asked).toEqual([[1, 2], [3]]);
});

test('nothing is cached', async () => {
  const { asked, double } = doubling();
  await double(1);
  await double(1);
  expect(asked).toEqual([[1], [1]]);
});

test('a failure reaches all callers of that lookup, and no others', async () => {
  let away = true;
  const find = batched(async (keys: readonly string[]) => {
    if (away) throw new Error('away');
    return keys;
  });
  const answers = await Promise.allSettled([find('a'), find('b')]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  away = false;
  expect(await find('c')).toBe('c');
});

test('rows are returned in the order of their keys, in any spelling', () => {
  const rows = [{ id: 'b' }, { id: 'a' }];
  expect(inOrderOf(['A', 'c', 'b', 'a'], rows, ({ id }) => id)).toEqual([{ id: 'a' }, null, { id: 'b' }, { id: 'a' }]);
});

test('while two lookups run, new callers are collected for the next one', async () => {
  const asked: (readonly number[])[] = [];
  const answers: (() => void)[] = [];
  const find = batched((keys: readonly number[]) => {
    asked.push(keys);
    return new Promise<readonly number[]>((resolve) => answers.push(() => resolve(keys)));
  });
  const found: Promise<number>[] = [];
  for (const key of [1, 2, 3, 4]) {
    found.push(find(key));
    await afterThisTurn();
    await afterThisTurn();
  }
  expect(asked).toEqual([[1], [2]]);
  answers[1]!();
  expect(await found[1]).toBe(2);
  await afterThisTurn();
  expect(asked).toEqual([[1], [2], [3, 4]]);
  for (const answer of answers) answer();
  expect(await Promise.all(found)).toEqual([1, 2, 3, 4]);
});

test('a failed lookup makes room for the next', async () => {
  const find = batched(async (keys: readonly number[]) => {
    if (keys.includes(0)) throw new Error('away');
    return keys;
  }, 1);
  const answers = await Promise.allSettled([0, 0, 0, 1].map(find));
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'fulfilled']);
});
