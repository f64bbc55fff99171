import type { CommandBus } from '@nestjs/cqrs';
import { LRUCache } from 'lru-cache';

import type { EventStore } from '../event-sourcing/core/event-store.js';
import type { EventMetadata } from '../event-sourcing/core/event.js';
import { DomainError, Unavailable } from '../kernel/errors.js';
import { isOutage } from '../platform/postgres/outage.js';
import type { Log } from '../platform/telemetry/log.js';
import { CompleteBatchCancellation, CompleteBatchStarts, RefuseBatchItems } from '../tasks/domain/batch-commands.js';
import type { ExecutionStatuses } from '../tasks/domain/batch-item-status.js';
import { CancelExecution } from '../tasks/domain/execution-commands.js';
import { isActive } from '../tasks/domain/execution-shape.js';
import type { ActiveBatch } from './active-batch.js';
import { BatchWork } from './batch-work.js';
import { ItemStarts } from './item-starts.js';
import { PendingStarts } from './pending-starts.js';

/** Batches visited in a round. */
const BATCHES_PER_ROUND_MAX = 50;
/** Commands sent in a round, one at a time: requests of users go on beside them. */
const COMMANDS_PER_ROUND_MAX = 40;
/** Commands sent for one batch in a round: most of them may find their task busy. */
const COMMANDS_PER_VISIT_MAX = 20;
/** With five rounds a second, as many starts as the default of RATE_LIMIT_WRITES allows. */
const STARTS_PER_OWNER_MAX = 2;
/** Of batches that are remembered between rounds. */
const REMEMBERED_MAX = 50;
/** The last safeguard if the database is restored under a running process. */
const REMEMBERED_MS = 60_000;
/** How long a batch rests if a quota of its owner is used up, or after a bug. */
const LONG_REST_MS = 10_000;
/** A start that another process has begun before the cancellation has ended by then: an append takes 5 s at most. */
const CANCELLATION_SETTLES_MS = 10_000;

/** The orchestrator's table of batches that need work, and the tasks of executions. */
export abstract class ActiveBatches {
  /** Ordered by id, after the given one. @throws Unavailable */
  abstract page(afterId: string | null, limit: number): Promise<readonly ActiveBatch[]>;

  /** The task of each execution that exists. @throws Unavailable */
  abstract tasksOf(executionIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

export interface BatchStarterParts {
  readonly batches: ActiveBatches;
  readonly statuses: ExecutionStatuses;
  readonly store: Pick<EventStore, 'readStream'>;
  readonly commands: Pick<CommandBus, 'execute'>;
  readonly log: Log;
  /** Called for each item that was started or refused. */
  readonly onItem: (outcome: 'started' | 'refused') => void;
}

/** The bounds of one round. */
interface Round {
  readonly now: number;
  readonly signal: AbortSignal;
  readonly startsOf: Map<string, number>;
  commands: number;
}

const starterMetadata = (batchId: string): EventMetadata => ({
  actor: 'system:batch-starter',
  correlation_id: batchId,
});

/**
 * Starts the executions of batches of reruns, and completes cancellations. Runs on the orchestrator's leader. Everything
 * may be repeated, by this process after a crash or by a late leader beside it: the id of an execution follows from its
 * batch and its source, and a start of an execution that exists changes nothing.
 */
export class BatchStarter {
  /** The batch at which the last round ended. */
  private after: string | null = null;
  private readonly remembered = new LRUCache<string, BatchWork>({
    max: REMEMBERED_MAX,
    ttl: REMEMBERED_MS,
    noUpdateTTL: true,
  });

  private readonly starts: ItemStarts;

  constructor(private readonly parts: BatchStarterParts) {
    this.starts = new ItemStarts(parts.commands, parts.log);
  }

  /** Called while this process does not lead. */
  forget(): void {
    this.after = null;
    this.remembered.clear();
  }

  /** @returns whether there are batches. @throws Unavailable: what was begun is repeated in a later round */
  async round(signal: AbortSignal, now = Date.now()): Promise<boolean> {
    const round: Round = { now, signal, startsOf: new Map(), commands: 0 };
    const begin = this.after;
    const page = await this.parts.batches.page(begin, BATCHES_PER_ROUND_MAX);
    for (const row of page) {
      if (signal.aborted || round.commands >= COMMANDS_PER_ROUND_MAX) return true;
      this.after = row.batch_id;
      await this.attempt(row, round);
    }
    if (page.length < BATCHES_PER_ROUND_MAX) this.after = null;
    return page.length > 0 || begin !== null;
  }

  /** A batch that fails by a bug does not stop the others. */
  private async attempt(row: ActiveBatch, round: Round): Promise<void> {
    const work = this.remembered.get(row.batch_id) ?? new BatchWork(row.batch_id);
    this.remembered.set(row.batch_id, work);
    try {
      await this.visit(row, work, round);
    } catch (error) {
      if (error instanceof Unavailable || isOutage(error)) throw error;
      this.parts.log.error({ err: error, batch_id: row.batch_id }, 'batch not started');
      work.rest(row.status, round.now, LONG_REST_MS);
    }
  }

  private async visit(row: ActiveBatch, work: BatchWork, round: Round): Promise<void> {
    if (work.isResting(row.status, round.now)) return;
    // The table lags behind the log, and the memory behind both.
    const batch = await work.refresh(this.parts.store);
    if (batch.status === 'starting') await this.start(row, work, round);
    else if (batch.status === 'cancelling') await this.cancel(row, work, round);
    else this.remembered.delete(row.batch_id);
  }

  private async start(row: ActiveBatch, work: BatchWork, round: Round): Promise<void> {
    const { batchId } = work;
    const pending = (work.pending ??= await this.pendingOf(work));
    const wasOfUse = await this.startSome(row, work, pending, round);
    if (work.refusals.length > 0) {
      await this.parts.commands.execute(new RefuseBatchItems(batchId, work.refusals, starterMetadata(batchId)));
      work.refusals = [];
    }
    if (!pending.isEmpty) return wasOfUse === null ? undefined : work.restAfter('starting', round.now, wasOfUse);
    await this.parts.commands.execute(new CompleteBatchStarts(batchId, starterMetadata(batchId)));
    this.remembered.delete(batchId);
  }

  /** The items that neither exist nor were refused. */
  private async pendingOf(work: BatchWork): Promise<PendingStarts> {
    const { batch, items } = work;
    const existing = await this.parts.statuses.of(items.map(({ executionId }) => executionId));
    const left = items.filter(
      ({ index, executionId }) => !existing.has(executionId) && batch.refused[index] === undefined,
    );
    const tasks = await this.parts.batches.tasksOf(left.map(({ sourceId }) => sourceId!));
    return new PendingStarts(left, ({ sourceId }) => tasks.get(sourceId!) ?? '');
  }

  /** @returns whether an item was started or refused; null if the turn of this owner is over, or a rest was set */
  private async startSome(
    row: ActiveBatch,
    work: BatchWork,
    pending: PendingStarts,
    round: Round,
  ): Promise<boolean | null> {
    const { owner_id } = work.batch;
    const commandsMax = round.commands + COMMANDS_PER_VISIT_MAX;
    let wasOfUse = false;
    for (const task of pending.tasks) {
      for (let item = pending.next(task); item; item = pending.next(task)) {
        const starts = round.startsOf.get(owner_id) ?? 0;
        if (starts >= STARTS_PER_OWNER_MAX || round.signal.aborted) return null;
        if (round.commands >= Math.min(commandsMax, COMMANDS_PER_ROUND_MAX)) return wasOfUse;
        round.commands += 1;
        const outcome = await this.starts.start(item, work, row.traceparent ?? undefined);
        if (outcome === 'quota') {
          work.rest('starting', round.now, LONG_REST_MS);
          return null;
        }
        if (outcome === 'busy') break;
        if (outcome === 'started') round.startsOf.set(owner_id, starts + 1);
        wasOfUse = true;
        this.parts.onItem(outcome);
        pending.remove(task);
      }
      pending.moveToEnd(task);
    }
    return wasOfUse;
  }

  /**
   * Cancels what runs: the request that cancelled the batch may have been interrupted, and a start that was in progress
   * may have been recorded after it.
   */
  private async cancel(row: ActiveBatch, work: BatchWork, round: Round): Promise<void> {
    const { batchId, items } = work;
    const statuses = await this.parts.statuses.of(items.map(({ executionId }) => executionId));
    const active = items.filter(({ executionId }) => isActive(statuses.get(executionId) ?? 'cancelled'));
    const left = active.filter(({ executionId }) => !work.cancelled.has(executionId));
    for (const { executionId } of left.slice(0, COMMANDS_PER_VISIT_MAX)) {
      if (round.signal.aborted) return;
      round.commands += 1;
      await this.cancelOne(executionId);
      work.cancelled.add(executionId);
    }
    const isMore = left.length > COMMANDS_PER_VISIT_MAX;
    const isSettled = round.now >= new Date(row.requested_at).getTime() + CANCELLATION_SETTLES_MS;
    if (isMore || !isSettled) return work.restAfter('cancelling', round.now, isMore);
    await this.parts.commands.execute(new CompleteBatchCancellation(batchId, starterMetadata(batchId)));
    this.remembered.delete(batchId);
  }

  private async cancelOne(executionId: string): Promise<void> {
    const command = new CancelExecution(executionId, 'system', starterMetadata(executionId));
    try {
      await this.parts.commands.execute(command);
    } catch (error) {
      // It has ended in the meantime.
      if (!(error instanceof DomainError)) throw error;
    }
  }
}
