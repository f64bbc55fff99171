import DataLoader from 'dataloader';

import { ignoreErrors } from '../async/ignore-errors.js';
import { Semaphore } from '../async/semaphore.js';

/** Keys in one statement, at most. */
export const BATCH_KEYS_MAX = 100;
/** Concurrent statements of one kind: the busier Postgres is, the more callers share a statement. */
const CONCURRENT_MAX = 2;

/**
 * Combines lookups by key into one statement: those of one turn of the event loop, and those that come while others
 * are in progress. A statement costs as much as some ten rows. A single caller does not wait. Nothing is cached. A
 * failure reaches every caller of the statement.
 * @param load returns values in the order of their keys, which may repeat
 */
export function batched<Key, Value>(
  load: (keys: readonly Key[]) => Promise<readonly Value[]>,
  keysMax = BATCH_KEYS_MAX,
): (key: Key) => Promise<Value> {
  const semaphore = new Semaphore(CONCURRENT_MAX);
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
            // Starts the lookup before it returns.
            send();
            await ignoreErrors(newest, 'the callers of the lookup get the error');
          }),
      ),
  });
  return (key) => loader.load(key);
}

/** @returns the row of each key, or null */
export function inOrderOf<Row>(
  keys: readonly string[],
  rows: readonly Row[],
  keyOf: (row: Row) => string,
): (Row | null)[] {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  return keys.map((key) => byKey.get(key.toLowerCase()) ?? null);
}
