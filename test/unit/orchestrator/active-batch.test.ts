import { fold } from '../../../src/event-sourcing/core/decider.js';
import type { DomainEvent, StreamRef } from '../../../src/event-sourcing/core/event.js';
import { type ActiveBatch, activeBatchProjection, foldActiveBatch } from '../../../src/orchestrator/active-batch.js';
import {
  BatchCancellationRequested,
  BatchCancelled,
  BatchStartsCompleted,
} from '../../../src/tasks/domain/batch-events.js';
import * as batch from '../../support/builders/batches.js';
import { recorded, recordedAtOf, TASK_STREAM, TRACEPARENT } from '../../support/builders/recorded.js';
import { taskDeleted } from '../../support/builders/tasks.js';

const STREAM: StreamRef = { type: 'batch', id: batch.BATCH_ID };
const rowAfter = (...events: readonly DomainEvent[]): ActiveBatch | null =>
  fold({ evolve: foldActiveBatch as never }, null, recorded(STREAM, events, { traceparent: TRACEPARENT }) as never[]);
const row = (status: ActiveBatch['status'], version: number): ActiveBatch => {
  return { batch_id: batch.BATCH_ID, status, requested_at: recordedAtOf(version), traceparent: TRACEPARENT };
};
const requested = BatchCancellationRequested({});

test.each<[string, readonly DomainEvent[], ActiveBatch | null]>([
  ['a batch of new tasks', [batch.batchCreated()], null],
  ['a batch of reruns', [batch.rerunBatchCreated()], row('starting', 1)],
  ['one with refusals', [batch.rerunBatchCreated(), batch.itemsRefused(0)], row('starting', 1)],
  ['one with nothing left to start', [batch.rerunBatchCreated(), BatchStartsCompleted({})], null],
  ['a cancelled batch of new tasks', [batch.batchCreated(), requested], row('cancelling', 2)],
  ['a cancelled batch of reruns', [batch.rerunBatchCreated(), requested], row('cancelling', 2)],
  ['a completed cancellation', [batch.rerunBatchCreated(), requested, BatchCancelled({})], null],
])('%s', (_, events, expected) => {
  expect(rowAfter(...events)).toEqual(expected);
});

test('the table has a column for each field, and takes events of batches only', () => {
  expect(Object.keys(activeBatchProjection.columns)).toEqual(Object.keys(row('starting', 1)));
  expect(activeBatchProjection.keyOf(recorded(TASK_STREAM, [taskDeleted])[0]!)).toBeNull();
  expect(activeBatchProjection.keyOf(recorded(STREAM, [batch.batchCreated()])[0]!)).toBe(batch.BATCH_ID);
});
