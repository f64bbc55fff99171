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

test('who asks at the same time is answered by one lookup, each with their own', async () => {
  const { asked, double } = doubling();
  expect(await Promise.all([3, 1, 3].map(double))).toEqual([6, 2, 6]);
  expect(asked).toEqual([[3, 1, 3]]);
});

test('so many at a time, and not more', async () => {
  const { asked, double } = doubling(2);
  expect(await Promise.all([1, 2, 3].map(double))).toEqual([2, 4, 6]);
  expect(asked).toEqual([[1, 2], [3]]);
});

test('nothing is kept', async () => {
  const { asked, double } = doubling();
  await double(1);
  await double(1);
  expect(asked).toEqual([[1], [1]]);
});

test('a failure is told to all who asked with it, and to nobody else', async () => {
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

test('rows are put in the order of their keys, however those are spelled', () => {
  const rows = [{ id: 'b' }, { id: 'a' }];
  expect(inOrderOf(['A', 'c', 'b', 'a'], rows, ({ id }) => id)).toEqual([{ id: 'a' }, null, { id: 'b' }, { id: 'a' }]);
});

test('while two lookups are under way, whoever comes is gathered for the next one', async () => {
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

test('one that fails makes room for the next', async () => {
  const find = batched(async (keys: readonly number[]) => {
    if (keys.includes(0)) throw new Error('away');
    return keys;
  }, 1);
  const answers = await Promise.allSettled([0, 0, 0, 1].map(find));
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'fulfilled']);
});
