import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { defineProjection } from '../../event-sourcing/projection/projection.js';
import { unreachable } from '../../kernel/errors.js';
import type { BatchEvent } from '../domain/batch-events.js';
import type { BatchStatus } from '../domain/batch-state.js';

/** A row of `read.batches`: what a list shows. The items of one batch are read from the log. */
export interface BatchRow {
  readonly id: string;
  readonly owner_id: string;
  readonly kind: 'new' | 'rerun';
  readonly status: BatchStatus;
  readonly size: number;
  readonly refused: number;
  readonly created_at: string | Date;
  readonly version: number;
}

export function projectBatch(row: BatchRow | null, event: RecordedEvent<BatchEvent>): BatchRow | null {
  const { version } = event;
  const created_at = event.recordedAt.toISOString();
  if (event.type === 'BatchCreated') {
    const { batch_id: id, owner_id, size } = event.data;
    return { id, owner_id, kind: 'new', status: 'started', size, refused: 0, created_at, version };
  }
  if (event.type === 'RerunBatchCreated') {
    const { batch_id: id, owner_id, source_ids } = event.data;
    const size = source_ids.length;
    return { id, owner_id, kind: 'rerun', status: 'starting', size, refused: 0, created_at, version };
  }
  if (row === null) return null;
  switch (event.type) {
    case 'BatchItemsRefused':
      return { ...row, refused: row.refused + event.data.items.length, version };
    case 'BatchStartsCompleted':
      return { ...row, status: 'started', version };
    case 'BatchCancellationRequested':
      return { ...row, status: 'cancelling', version };
    case 'BatchCancelled':
      return { ...row, status: 'cancelled', version };
    default:
      return unreachable(event);
  }
}

export const batchProjection = defineProjection<BatchRow>({
  table: 'batches',
  key: 'id',
  columns: {
    id: 'uuid',
    owner_id: 'uuid',
    kind: 'text',
    status: 'text',
    size: 'integer',
    refused: 'integer',
    created_at: 'timestamptz',
    version: 'integer',
  },
  keyOf: ({ stream }) => (stream.type === 'batch' ? stream.id : null),
  project: (row, event) => projectBatch(row, event as RecordedEvent<BatchEvent>),
});
