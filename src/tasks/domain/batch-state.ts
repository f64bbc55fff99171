import type { StreamRef } from '../../event-sourcing/core/event.js';
import { unreachable } from '../../kernel/errors.js';
import { deterministicId } from '../../kernel/uuid.js';
import type { BatchEvent, RerunSettings } from './batch-events.js';

/** `starting`: items wait to be started. `cancelling`: items that run may not have been cancelled yet. */
export const BATCH_STATUSES = ['starting', 'started', 'cancelling', 'cancelled'] as const;
export type BatchStatus = (typeof BATCH_STATUSES)[number];

/** What the batch consists of. */
type BatchContent =
  | { readonly kind: 'new'; readonly size: number }
  | { readonly kind: 'rerun'; readonly settings: RerunSettings; readonly source_ids: readonly string[] };

export interface KnownBatch {
  readonly status: BatchStatus;
  readonly batch_id: string;
  readonly owner_id: string;
  readonly content: BatchContent;
  /** By index: why an item cannot be started. */
  readonly refused: Readonly<Record<number, string>>;
}

export type BatchState = { readonly status: 'absent' } | KnownBatch;

export const isCancelled = ({ status }: KnownBatch): boolean => status === 'cancelling' || status === 'cancelled';

export const batchStream = (batchId: string): StreamRef => ({ type: 'batch', id: batchId });

/** One execution of a batch. A rerun exists only once it has been started. */
export interface BatchItem {
  readonly index: number;
  readonly executionId: string;
  /** Null for an execution of a new task. */
  readonly sourceId: string | null;
}

export const batchTaskId = (batchId: string, index: number): string => deterministicId('batch-task', batchId, index);

export const batchExecutionId = (batchId: string, index: number): string =>
  deterministicId('batch-execution', batchId, index);

/** The same in every process and after a crash, so that each source is rerun once. */
const batchRerunId = (batchId: string, sourceId: string): string => deterministicId('batch-rerun', batchId, sourceId);

export function batchItemsOf({ batch_id, content }: Pick<KnownBatch, 'batch_id' | 'content'>): readonly BatchItem[] {
  if (content.kind === 'rerun') {
    return content.source_ids.map((sourceId, index) => ({
      index,
      sourceId,
      executionId: batchRerunId(batch_id, sourceId),
    }));
  }
  return Array.from({ length: content.size }, (_, index) => ({
    index,
    sourceId: null,
    executionId: batchExecutionId(batch_id, index),
  }));
}

export function evolveBatch(state: BatchState, event: BatchEvent): BatchState {
  if (event.type === 'BatchCreated') {
    const { batch_id, owner_id, size } = event.data;
    return { status: 'started', batch_id, owner_id, content: { kind: 'new', size }, refused: {} };
  }
  if (event.type === 'RerunBatchCreated') {
    const { batch_id, owner_id, source_ids, ...settings } = event.data;
    return { status: 'starting', batch_id, owner_id, content: { kind: 'rerun', settings, source_ids }, refused: {} };
  }
  if (state.status === 'absent') throw new Error(`${event.type} on a batch that was never created`);
  switch (event.type) {
    case 'BatchItemsRefused': {
      const refused = Object.fromEntries(event.data.items.map(({ index, code }) => [index, code]));
      return { ...state, refused: { ...state.refused, ...refused } };
    }
    case 'BatchStartsCompleted':
      return { ...state, status: 'started' };
    case 'BatchCancellationRequested':
      return { ...state, status: 'cancelling' };
    case 'BatchCancelled':
      return { ...state, status: 'cancelled' };
    default:
      return unreachable(event);
  }
}
