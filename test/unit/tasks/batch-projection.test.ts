import { fold } from '../../../src/event-sourcing/core/decider.js';
import type { StreamRef } from '../../../src/event-sourcing/core/event.js';
import {
  BatchCancellationRequested,
  BatchCancelled,
  BatchStartsCompleted,
} from '../../../src/tasks/domain/batch-events.js';
import { batchProjection, type BatchRow, projectBatch } from '../../../src/tasks/queries/batch-projection.js';
import * as batch from '../../support/builders/batches.js';
import { OWNER_ID } from '../../support/builders/people.js';
import { recorded, recordedAtOf, TASK_STREAM } from '../../support/builders/recorded.js';
import { taskDeleted } from '../../support/builders/tasks.js';

const STREAM: StreamRef = { type: 'batch', id: batch.BATCH_ID };
const rowAfter = (...events: Parameters<typeof recorded>[1]) =>
  fold({ evolve: projectBatch as never }, null as BatchRow | null, recorded(STREAM, events) as never[]);

const CREATED: BatchRow = {
  id: batch.BATCH_ID,
  owner_id: OWNER_ID,
  kind: 'new',
  status: 'started',
  size: 3,
  refused: 0,
  created_at: recordedAtOf(1),
  version: 1,
};
const RERUN: BatchRow = { ...CREATED, kind: 'rerun', status: 'starting', size: 2 };

test('a batch of new tasks has started when it is recorded', () => {
  expect(rowAfter(batch.batchCreated(3))).toEqual(CREATED);
});

test('a batch of reruns starts, refuses and is cancelled', () => {
  const events = [batch.rerunBatchCreated(), batch.itemsRefused(0), batch.itemsRefused(1), BatchStartsCompleted({})];
  expect(rowAfter(...events.slice(0, 1))).toEqual(RERUN);
  expect(rowAfter(...events.slice(0, 3))).toEqual({ ...RERUN, refused: 2, version: 3 });
  expect(rowAfter(...events)).toEqual({ ...RERUN, refused: 2, status: 'started', version: 4 });
  const requested = BatchCancellationRequested({});
  expect(rowAfter(events[0]!, requested)).toEqual({ ...RERUN, status: 'cancelling', version: 2 });
  expect(rowAfter(events[0]!, requested, BatchCancelled({}))).toEqual({ ...RERUN, status: 'cancelled', version: 3 });
});

test('the view takes events of batches only, and has a column for each field', () => {
  const [ofBatch] = recorded(STREAM, [batch.batchCreated()]);
  const [ofTask] = recorded(TASK_STREAM, [taskDeleted]);
  expect(batchProjection.keyOf(ofBatch!)).toBe(batch.BATCH_ID);
  expect(batchProjection.keyOf(ofTask!)).toBeNull();
  expect(batchProjection.project(null, ofBatch!)).toEqual(CREATED);
  expect(Object.keys(batchProjection.columns).sort()).toEqual(Object.keys(CREATED).sort());
});
