import { mapInParallel } from '../../../src/platform/async/map-in-parallel.js';

const turn = () => new Promise(setImmediate);

test('maps in order, with at most so many items at a time', async () => {
  let running = 0;
  let most = 0;
  const doubled = await mapInParallel([1, 2, 3, 4, 5, 6, 7], 3, async (item, index) => {
    running += 1;
    most = Math.max(most, running);
    await turn();
    running -= 1;
    return [index, item * 2];
  });
  expect(doubled).toEqual([1, 2, 3, 4, 5, 6, 7].map((item, index) => [index, item * 2]));
  expect(most).toBe(3);
  expect(await mapInParallel([], 3, async () => 1)).toEqual([]);
});

test('after a failure, takes no further item, and waits for those in progress', async () => {
  const ended: number[] = [];
  const work = mapInParallel([1, 2, 3, 4, 5], 2, async (item) => {
    await turn();
    if (item === 1) throw new Error('one');
    await turn();
    ended.push(item);
  });
  await expect(work).rejects.toThrow('one');
  expect(ended).toEqual([2]);
});
