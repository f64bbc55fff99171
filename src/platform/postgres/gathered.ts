import DataLoader from 'dataloader';

/** Keys of one statement, at most. */
export const GATHERED_KEYS_MAX = 100;

/**
 * Lookups by key of all who ask within one turn of the event loop, as one statement: nobody waits for that, and a
 * statement costs what some ten rows do. Nothing is kept. A failure is everybody's who asked with it.
 * @param load values in the order of their keys, which may repeat
 */
export function gathered<Key, Value>(
  load: (keys: readonly Key[]) => Promise<readonly Value[]>,
  keysMax = GATHERED_KEYS_MAX,
): (key: Key) => Promise<Value> {
  const loader = new DataLoader<Key, Value>(load, {
    cache: false,
    maxBatchSize: keysMax,
    batchScheduleFn: (send) => setImmediate(send),
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
