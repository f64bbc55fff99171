import { allSettled } from './all-settled.js';

/**
 * Maps at most `max` items at a time, in order. After a failure it takes no further item, waits for those in progress,
 * and rejects: none of them is still at work afterwards.
 */
export async function mapInParallel<Item, Result>(
  items: readonly Item[],
  max: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failed) return;
      try {
        results[index] = await work(item, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await allSettled(Array.from({ length: Math.min(max, items.length) }, worker));
  return results;
}
