import type { Decider } from '../../event-sourcing/core/decider.js';
import { DomainError, unreachable } from '../../kernel/errors.js';
import { requireOwner } from '../../kernel/requester.js';
import type { BatchCommand, RefuseBatchItems } from './batch-commands.js';
import {
  BatchCancellationRequested,
  BatchCancelled,
  BatchCreated,
  type BatchEvent,
  BatchItemsRefused,
  BatchStartsCompleted,
  RerunBatchCreated,
} from './batch-events.js';
import { type BatchState, evolveBatch, isCancelled, type KnownBatch } from './batch-state.js';

export const batchNotFound = (): DomainError => new DomainError('batch_not_found', 'Batch not found', 'not_found');

/** Every execution has ended, and none is left to start: there is nothing to cancel. */
export const batchEnded = (): DomainError => new DomainError('batch_ended', 'Batch has already ended');

/** A batch knows which items it refused, but not which run: their own streams tell. */
export const batchDecider: Decider<BatchCommand, BatchState, BatchEvent> = {
  initialState: { status: 'absent' },
  decide,
  evolve: evolveBatch,
};

function decide(command: BatchCommand, state: BatchState): readonly BatchEvent[] {
  if (command.type === 'RecordBatch') {
    const { batchId, ownerId, size } = command;
    return state.status === 'absent' ? [BatchCreated({ batch_id: batchId, owner_id: ownerId, size })] : [];
  }
  if (command.type === 'CreateRerunBatch') {
    if (state.status !== 'absent') return [];
    const { batchId, ownerId, sourceIds, settings } = command;
    return [RerunBatchCreated({ batch_id: batchId, owner_id: ownerId, ...settings, source_ids: [...sourceIds] })];
  }
  if (state.status === 'absent') throw batchNotFound();
  switch (command.type) {
    case 'CancelBatch':
      requireOwner(command.requester, state.owner_id);
      return isCancelled(state) ? [] : [BatchCancellationRequested({})];
    case 'RefuseBatchItems':
      return isCancelled(state) ? [] : refuse(command, state);
    case 'CompleteBatchStarts':
      return state.status === 'starting' ? [BatchStartsCompleted({})] : [];
    case 'CompleteBatchCancellation':
      return state.status === 'cancelling' ? [BatchCancelled({})] : [];
    default:
      return unreachable(command);
  }
}

function refuse({ items }: RefuseBatchItems, { refused }: KnownBatch): readonly BatchEvent[] {
  const unknown = items.filter(({ index }) => refused[index] === undefined);
  return unknown.length === 0 ? [] : [BatchItemsRefused({ items: [...unknown] })];
}
