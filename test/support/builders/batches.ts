import type { Requester } from '../../../src/kernel/requester.js';
import {
  CancelBatch,
  CompleteBatchCancellation,
  CompleteBatchStarts,
  CreateRerunBatch,
  type RecordBatch,
  RefuseBatchItems,
} from '../../../src/tasks/domain/batch-commands.js';
import { BatchCreated, BatchItemsRefused, RerunBatchCreated } from '../../../src/tasks/domain/batch-events.js';
import { metadata, owner, OWNER_ID } from './people.js';
import { EXECUTION_ID, OTHER_EXECUTION_ID } from './tasks.js';

export const BATCH_ID = '018f0000-0000-7000-8000-000000000020';
export const SOURCES = [EXECUTION_ID, OTHER_EXECUTION_ID];
const SETTINGS = { definition: 'recorded', overrides: { priority: 8 } } as const;

export const batchCreated = (size = 3) => BatchCreated({ batch_id: BATCH_ID, owner_id: OWNER_ID, size });
export const rerunBatchCreated = (source_ids = SOURCES) =>
  RerunBatchCreated({ batch_id: BATCH_ID, owner_id: OWNER_ID, ...SETTINGS, source_ids });
export const itemsRefused = (...indexes: number[]) =>
  BatchItemsRefused({ items: indexes.map((index) => ({ index, code: 'task_not_found' })) });

export const recordBatch = (size = 3): RecordBatch => {
  return { type: 'RecordBatch', batchId: BATCH_ID, ownerId: OWNER_ID, size };
};
export const createRerunBatch = () => new CreateRerunBatch(BATCH_ID, OWNER_ID, SOURCES, SETTINGS, metadata);
export const cancelBatch = (requester: Requester = owner) => new CancelBatch(BATCH_ID, requester, metadata);
export const refuseItems = (...indexes: number[]) =>
  new RefuseBatchItems(
    BATCH_ID,
    indexes.map((index) => ({ index, code: 'task_not_found' })),
    metadata,
  );
export const completeStarts = () => new CompleteBatchStarts(BATCH_ID, metadata);
export const completeCancellation = () => new CompleteBatchCancellation(BATCH_ID, metadata);
