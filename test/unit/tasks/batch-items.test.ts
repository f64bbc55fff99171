import { fold } from '../../../src/event-sourcing/core/decider.js';
import { batchDecider } from '../../../src/tasks/domain/batch-decider.js';
import { BatchCancellationRequested, type BatchEvent } from '../../../src/tasks/domain/batch-events.js';
import { ITEM_STATUSES, isUnderWay, itemViewsOf } from '../../../src/tasks/domain/batch-item-status.js';
import { batchItemsOf, type KnownBatch } from '../../../src/tasks/domain/batch-state.js';
import * as batch from '../../support/builders/batches.js';

const after = (...events: BatchEvent[]) => fold(batchDecider, batchDecider.initialState, events) as KnownBatch;

test('the ids of the executions follow from the batch', () => {
  const items = batchItemsOf(after(batch.batchCreated(3)));
  expect(items).toEqual(batchItemsOf(after(batch.batchCreated(3))));
  expect(items.map(({ index, sourceId }) => [index, sourceId])).toEqual([
    [0, null],
    [1, null],
    [2, null],
  ]);
  const reruns = batchItemsOf(after(batch.rerunBatchCreated()));
  expect(reruns.map(({ sourceId }) => sourceId)).toEqual(batch.SOURCES);
  expect(new Set([...items, ...reruns].map(({ executionId }) => executionId)).size).toBe(5);
});

test('an execution that exists counts before a refusal, and before a cancellation', () => {
  const created = batch.rerunBatchCreated();
  const [first] = batchItemsOf(after(created));
  const exists = new Map([[first!.executionId, 'running' as const]]);
  const shown = (events: BatchEvent[], statuses = new Map<string, 'running'>()) =>
    itemViewsOf(after(created, ...events), statuses).map(({ status, code }) => [status, code]);
  const refused = ['refused', 'task_not_found'];
  expect(shown([]).map(([status]) => status)).toEqual(['waiting', 'waiting']);
  expect(shown([batch.itemsRefused(0, 1)])).toEqual([refused, refused]);
  expect(shown([batch.itemsRefused(0, 1)], exists)).toEqual([['running', null], refused]);
  expect(shown([batch.itemsRefused(1), BatchCancellationRequested({})])).toEqual([['cancelled', null], refused]);
  expect(shown([BatchCancellationRequested({})], exists)).toEqual([
    ['running', null],
    ['cancelled', null],
  ]);
});

test('an item that waits, or whose execution has not ended, is under way', () => {
  expect(ITEM_STATUSES.filter(isUnderWay)).toEqual(['waiting', 'pending', 'running']);
});
