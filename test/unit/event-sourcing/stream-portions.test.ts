import { portionsOf } from '../../../src/event-sourcing/core/stream-portions.js';
import { allOf } from '../../support/all-of.js';
import { recorded, TASK_STREAM } from '../../support/builders/recorded.js';
import { executionFinished, executionStarted, taskCreated } from '../../support/builders/tasks.js';

const events = recorded(TASK_STREAM, [
  taskCreated(),
  executionStarted(),
  executionFinished(),
  executionStarted(),
  executionFinished(),
]);
const PORTION = 2;

function aStore() {
  const reads: number[] = [];
  const readStream = async (_stream: unknown, { afterVersion = 0, limit = 99 } = {}) => {
    reads.push(limit);
    return events.slice(afterVersion, afterVersion + limit);
  };
  return { store: { readStream } as Parameters<typeof portionsOf>[0], reads };
}

test.each([
  [undefined, [2, 2, 1], 3],
  [0, [], 0],
  [1, [1], 1],
  [3, [2, 1], 2],
  [4, [2, 2], 2],
  [99, [2, 2, 1], 3],
])('a stream of five in portions of at most %p: %p', async (limit, sizes, readCount) => {
  const { store, reads } = aStore();
  const portions = await allOf(portionsOf(store, TASK_STREAM, { limit, portionEvents: PORTION }));
  expect(portions.map(({ length }) => length)).toEqual(sizes);
  expect(portions.flat()).toEqual(events.slice(0, limit));
  expect(reads).toHaveLength(readCount);
});
