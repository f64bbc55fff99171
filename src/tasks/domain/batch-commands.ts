import type { EventMetadata } from '../../event-sourcing/core/event.js';
import type { Requester } from '../../kernel/requester.js';
import type { RerunSettings } from './batch-events.js';

/** Records a batch of reruns. Its items are started afterwards, one by one. */
export class CreateRerunBatch {
  readonly type = 'CreateRerunBatch';
  constructor(
    readonly batchId: string,
    readonly ownerId: string,
    /** The executions to repeat, in the order of their starts. */
    readonly sourceIds: readonly string[],
    readonly settings: RerunSettings,
    readonly metadata: EventMetadata,
  ) {}
}

/** Stops further starts, and cancels what has not ended. */
export class CancelBatch {
  readonly type = 'CancelBatch';
  constructor(
    readonly batchId: string,
    readonly requester: Requester,
    readonly metadata: EventMetadata,
  ) {}
}

/** The items cannot be started, now or later. */
export class RefuseBatchItems {
  readonly type = 'RefuseBatchItems';
  constructor(
    readonly batchId: string,
    readonly items: readonly { readonly index: number; readonly code: string }[],
    readonly metadata: EventMetadata,
  ) {}
}

/** No item is left to start. */
export class CompleteBatchStarts {
  readonly type = 'CompleteBatchStarts';
  constructor(
    readonly batchId: string,
    readonly metadata: EventMetadata,
  ) {}
}

/** Every item that was started has ended, or its cancellation is recorded. */
export class CompleteBatchCancellation {
  readonly type = 'CompleteBatchCancellation';
  constructor(
    readonly batchId: string,
    readonly metadata: EventMetadata,
  ) {}
}

/** The batch's own part in the creation of new tasks with one execution each. */
export interface RecordBatch {
  readonly type: 'RecordBatch';
  readonly batchId: string;
  readonly ownerId: string;
  readonly size: number;
}

export type BatchCommand =
  RecordBatch | CreateRerunBatch | CancelBatch | RefuseBatchItems | CompleteBatchStarts | CompleteBatchCancellation;
