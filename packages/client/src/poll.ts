import { delay } from './delay.js';

const FIRST_MS = 250;
const LONGEST_MS = 5_000;
const FACTOR = 1.5;

/** Asks again and again, ever more slowly, until the answer is the wanted one. */
export async function poll<Value>(
  ask: () => Promise<Value>,
  isWanted: (value: Value) => boolean,
  signal: AbortSignal,
): Promise<Value> {
  for (let ms = FIRST_MS; ; ms = Math.min(LONGEST_MS, ms * FACTOR)) {
    const value = await ask();
    if (isWanted(value)) return value;
    await delay(ms, signal);
  }
}
