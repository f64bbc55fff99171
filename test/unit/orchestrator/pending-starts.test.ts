import { PendingStarts } from '../../../src/orchestrator/pending-starts.js';

const items = ['a0', 'b1', 'a2', 'c3'].map((executionId, index) => ({ index, executionId, sourceId: executionId }));
const pending = () => new PendingStarts(items, ({ executionId }) => executionId[0]!);
const next = (starts: PendingStarts) => starts.tasks.map((task) => starts.next(task)?.executionId);

test('each task has its own order', () => {
  const starts = pending();
  expect(next(starts)).toEqual(['a0', 'b1', 'c3']);
  starts.remove('a');
  expect(next(starts)).toEqual(['a2', 'b1', 'c3']);
  starts.remove('a');
  starts.remove('b');
  expect(next(starts)).toEqual(['c3']);
  starts.remove('c');
  expect([starts.isEmpty, starts.next('c')]).toEqual([true, undefined]);
  starts.remove('c');
  starts.moveToEnd('c');
  expect(starts.isEmpty).toBe(true);
});

test('tasks take turns', () => {
  const starts = pending();
  starts.moveToEnd('a');
  expect(next(starts)).toEqual(['b1', 'c3', 'a0']);
});
