import DataLoader from 'dataloader';

import { Semaphore } from '../async/semaphore.js';

/** Keys of one statement, at most. */
export const BATCH_KEYS_MAX = 100;
/** Statements of one kind under way at a time: the busier Postgres is, the more of those who ask share one. */
const UNDER_WAY_MAX = 2;

/**
 * Lookups by key of all who ask within one turn of the event loop, or while others are under way, as one statement: a
 * statement costs what some ten rows do. Whoever asks alone waits for nothing. Nothing is kept. A failure is everybody's
 * who asked with it.
 * @param load values in the order of their keys, which may repeat
 */
export function batched<Key, Value>(
  load: (keys: readonly Key[]) => Promise<readonly Value[]>,
  keysMax = BATCH_KEYS_MAX,
): (key: Key) => Promise<Value> {
  const semaphore = new Semaphore(UNDER_WAY_MAX);
  let newest: Promise<unknown> = Promise.resolve();
  const begin = (keys: readonly Key[]) => {
    const values = load(keys);
    newest = values;
    return values;
  };
  const loader = new DataLoader<Key, Value>(begin, {
    cache: false,
    maxBatchSize: keysMax,
    batchScheduleFn: (send) =>
      setImmediate(
        () =>
          void semaphore.run(async () => {
            // Begins the lookup before it returns. Whether that fails is told to those who asked.
            send();
            await newest.catch(() => undefined);
          }),
      ),
  });
  return (key) => loader.load(key);
}

/** @returns of each key its row, or null */
export function inOrderOf<Row>(
  keys: readonly string[],
  rows: readonly Row[],
  keyOf: (row: Row) => string,
): (Row | null)[] {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  return keys.map((key) => byKey.get(key.toLowerCase()) ?? null);
}
