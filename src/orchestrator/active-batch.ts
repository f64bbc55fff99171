import type { RecordedEvent } from '../event-sourcing/core/event.js';
import { defineProjection } from '../event-sourcing/projection/projection.js';
import { unreachable } from '../kernel/errors.js';
import type { BatchEvent } from '../tasks/domain/batch-events.js';

/** The orchestrator's row for a batch that the starter has work with. */
export interface ActiveBatch {
  readonly batch_id: string;
  readonly status: 'starting' | 'cancelling';
  /** Of the start or of the cancellation. */
  readonly requested_at: string | Date;
  /** From that request: what is started stays in its trace. */
  readonly traceparent: string | null;
}

/** @returns null for a batch with nothing left to do */
export function foldActiveBatch(row: ActiveBatch | null, event: RecordedEvent<BatchEvent>): ActiveBatch | null {
  const active = (status: ActiveBatch['status']): ActiveBatch => ({
    batch_id: event.stream.id,
    status,
    requested_at: event.recordedAt.toISOString(),
    traceparent: event.metadata.traceparent ?? null,
  });
  switch (event.type) {
    case 'RerunBatchCreated':
      return active('starting');
    case 'BatchCancellationRequested':
      return active('cancelling');
    case 'BatchItemsRefused':
      return row;
    case 'BatchCreated':
    case 'BatchStartsCompleted':
    case 'BatchCancelled':
      return null;
    default:
      return unreachable(event);
  }
}

/** The orchestrator's own table, like that of active executions. */
export const activeBatchProjection = defineProjection<ActiveBatch>({
  table: 'active_batches',
  key: 'batch_id',
  columns: { batch_id: 'uuid', status: 'text', requested_at: 'timestamptz', traceparent: 'text' },
  keyOf: ({ stream }) => (stream.type === 'batch' ? stream.id : null),
  project: (row, event) => foldActiveBatch(row, event as RecordedEvent<BatchEvent>),
});
