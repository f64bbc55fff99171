import { fold } from '../event-sourcing/core/decider.js';
import type { EventStore } from '../event-sourcing/core/event-store.js';
import { eventsAs, type EventMetadata } from '../event-sourcing/core/event.js';
import { batchDecider } from '../tasks/domain/batch-decider.js';
import type { BatchEvent } from '../tasks/domain/batch-events.js';
import {
  type BatchItem,
  batchItemsOf,
  type BatchState,
  batchStream,
  type KnownBatch,
} from '../tasks/domain/batch-state.js';
import type { RefuseBatchItems } from '../tasks/domain/batch-commands.js';
import type { ActiveBatch } from './active-batch.js';
import type { PendingStarts } from './pending-starts.js';

/** After a visit that started nothing: doubled each time. */
const PAUSE_MS_MIN = 200;
const PAUSE_MS_MAX = 2_000;

/** What a process remembers of a batch between two visits. All of it follows from the log. */
export class BatchWork {
  private state: BatchState = batchDecider.initialState;
  private version = 0;
  private created: { readonly eventId: string; readonly metadata: EventMetadata } | null = null;
  private itemsOnce: readonly BatchItem[] | null = null;
  private pauseMs = 0;
  private restsUntil = 0;
  private restsAs: ActiveBatch['status'] | null = null;
  /** By index: how often the start of an item failed by a bug. */
  private readonly faults = new Map<number, number>();

  /** Null until they are known. */
  pending: PendingStarts | null = null;
  /** Refusals that are not recorded yet. */
  refusals: RefuseBatchItems['items'][number][] = [];
  /** Executions whose cancellation is recorded, also while their programs are being killed. */
  readonly cancelled = new Set<string>();

  constructor(readonly batchId: string) {}

  /** Reads what was recorded since the last call. @throws Unavailable */
  async refresh(store: Pick<EventStore, 'readStream'>): Promise<KnownBatch> {
    const read = await store.readStream(batchStream(this.batchId), { afterVersion: this.version });
    this.created ??= read[0] ?? null;
    this.version += read.length;
    this.state = fold(batchDecider, this.state, eventsAs<BatchEvent>(read));
    if (this.state.status === 'absent') throw new Error('a batch without events');
    return this.state;
  }

  get batch(): KnownBatch {
    if (this.state.status === 'absent') throw new Error('a batch that was not read');
    return this.state;
  }

  get items(): readonly BatchItem[] {
    return (this.itemsOnce ??= batchItemsOf(this.batch));
  }

  /** Of the start of an execution: by the user who created the batch. */
  metadataOf(executionId: string): EventMetadata {
    const { eventId, metadata } = this.created!;
    const { actor, request_id } = metadata;
    const cause = { correlation_id: executionId, causation_id: eventId };
    return { actor, ...cause, ...(request_id !== undefined && { request_id }) };
  }

  /** A cancellation does not wait for the end of a rest between starts. */
  isResting(status: ActiveBatch['status'], now: number): boolean {
    return status === this.restsAs && now < this.restsUntil;
  }

  rest(status: ActiveBatch['status'], now: number, ms: number): void {
    this.restsAs = status;
    this.restsUntil = now + ms;
  }

  /** The longer there was nothing to do, the longer the rest. */
  restAfter(status: ActiveBatch['status'], now: number, wasOfUse: boolean): void {
    this.pauseMs = wasOfUse ? 0 : Math.min(Math.max(PAUSE_MS_MIN, this.pauseMs * 2), PAUSE_MS_MAX);
    this.rest(status, now, this.pauseMs);
  }

  /** @returns how often the item has failed */
  countFault(index: number): number {
    const count = (this.faults.get(index) ?? 0) + 1;
    this.faults.set(index, count);
    return count;
  }
}
