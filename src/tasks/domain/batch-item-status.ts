import { type BatchItem, batchItemsOf, isCancelled, type KnownBatch } from './batch-state.js';
import { isActive, type Status, STATUSES } from './execution-shape.js';

/** `waiting`: not started yet. `refused`: can never be started. Otherwise the status of the execution. */
export const ITEM_STATUSES = ['waiting', 'refused', ...STATUSES] as const;
export type ItemStatus = (typeof ITEM_STATUSES)[number];

/** Statuses of executions as the log has them. */
export abstract class ExecutionStatuses {
  /** An execution that does not exist is not in the map. @throws Unavailable */
  abstract of(executionIds: readonly string[]): Promise<ReadonlyMap<string, Status>>;
}

/** An item and how it is. `code` is why it was refused; null otherwise. */
export type ItemView = BatchItem & { readonly status: ItemStatus; readonly code: string | null };

/**
 * An execution that exists counts first: a late starter may have refused what another one had just started. An item
 * that was not started when its batch was cancelled is shown as cancelled.
 */
export function itemViewsOf(batch: KnownBatch, statuses: ReadonlyMap<string, Status>): readonly ItemView[] {
  const unstarted = isCancelled(batch) ? 'cancelled' : 'waiting';
  return batchItemsOf(batch).map((item) => {
    const status = statuses.get(item.executionId);
    if (status !== undefined) return { ...item, status, code: null };
    const code = batch.refused[item.index] ?? null;
    return { ...item, status: code === null ? unstarted : 'refused', code };
  });
}

/** Whether the item has not ended: it runs, or is still to be started. */
export const isUnderWay = (status: ItemStatus): boolean =>
  status === 'waiting' || (status !== 'refused' && isActive(status));
