import DataLoader from 'dataloader';

/** Keys of one statement, at most. */
export const GATHERED_KEYS_MAX = 100;
/** Statements of one kind under way at a time: the busier Postgres is, the more of those who ask share one. */
const UNDER_WAY_MAX = 2;

/**
 * Lookups by key of all who ask within one turn of the event loop, or while others are under way, as one statement: a
 * statement costs what some ten rows do. Whoever asks alone waits for nothing. Nothing is kept. A failure is everybody's
 * who asked with it.
 * @param load values in the order of their keys, which may repeat
 */
export function gathered<Key, Value>(
  load: (keys: readonly Key[]) => Promise<readonly Value[]>,
  keysMax = GATHERED_KEYS_MAX,
): (key: Key) => Promise<Value> {
  const waiting: (() => void)[] = [];
  let underWay = 0;
  const sendNext = (): void => {
    if (underWay === UNDER_WAY_MAX) return;
    const send = waiting.shift();
    if (!send) return;
    underWay += 1;
    send();
  };
  const loadInTurn = async (keys: readonly Key[]) => {
    try {
      return await load(keys);
    } finally {
      underWay -= 1;
      sendNext();
    }
  };
  const loader = new DataLoader<Key, Value>(loadInTurn, {
    cache: false,
    maxBatchSize: keysMax,
    batchScheduleFn: (send) =>
      setImmediate(() => {
        waiting.push(send);
        sendNext();
      }),
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
