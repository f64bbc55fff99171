import { KeyedMutex } from '../../../src/platform/async/keyed-mutex.js';

test('holders get the lock one at a time, in the order of their requests', async () => {
  const turns = new KeyedMutex();
  const served: number[] = [];
  let atWork = 0;
  const work = async (number: number): Promise<void> => {
    const done = await turns.acquire('line');
    atWork += 1;
    expect(atWork).toBe(1);
    await Promise.resolve();
    served.push(number);
    atWork -= 1;
    done();
  };
  await Promise.all([1, 2, 3, 4].map(work));
  expect(served).toEqual([1, 2, 3, 4]);
});

test('keys do not wait for each other', async () => {
  const turns = new KeyedMutex();
  await turns.acquire('one');
  await expect(turns.acquire('other')).resolves.toBeInstanceOf(Function);
});

test('a caller behind one that takes too long goes ahead', async () => {
  const turns = new KeyedMutex();
  await turns.acquire('line');
  await expect(turns.acquire('line')).resolves.toBeInstanceOf(Function);
});
