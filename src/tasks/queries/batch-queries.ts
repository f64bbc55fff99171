import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { Pool } from 'pg';

import { fold } from '../../event-sourcing/core/decider.js';
import { EventStore } from '../../event-sourcing/core/event-store.js';
import { eventsAs } from '../../event-sourcing/core/event.js';
import { type ListQuery, type Page, readPage } from '../../http/listing/list-query.js';
import { type Requester, requireOwner } from '../../kernel/requester.js';
import { reportingOutages } from '../../platform/postgres/outage.js';
import { batchDecider, batchNotFound } from '../domain/batch-decider.js';
import type { BatchEvent } from '../domain/batch-events.js';
import { ExecutionStatuses, type ItemView, itemViewsOf } from '../domain/batch-item-status.js';
import { type BatchItem, batchItemsOf, batchStream, type KnownBatch } from '../domain/batch-state.js';
import type { BatchRow } from './batch-projection.js';

/** A batch and its executions. */
export interface BatchView {
  readonly batch: KnownBatch;
  readonly createdAt: Date;
  readonly items: readonly ItemView[];
}

/** A batch as the log has it now. @throws DomainError batch_not_found, access_denied */
export class GetBatch extends Query<BatchView> {
  constructor(
    readonly batchId: string,
    readonly requester: Requester,
  ) {
    super();
  }
}

/** The executions that a batch was created with. They never change. @throws DomainError batch_not_found */
export class GetBatchItems extends Query<readonly BatchItem[]> {
  constructor(readonly batchId: string) {
    super();
  }
}

export class ListBatches extends Query<Page<BatchRow>> {
  constructor(
    readonly ownerId: string,
    readonly query: ListQuery,
  ) {
    super();
  }
}

@QueryHandler(GetBatch)
export class GetBatchHandler implements IQueryHandler<GetBatch> {
  constructor(
    private readonly store: EventStore,
    private readonly statuses: ExecutionStatuses,
  ) {}

  async execute({ batchId, requester }: GetBatch): Promise<BatchView> {
    const { batch, createdAt } = await readBatch(this.store, batchId);
    requireOwner(requester, batch.owner_id);
    const statuses = await this.statuses.of(batchItemsOf(batch).map(({ executionId }) => executionId));
    return { batch, createdAt, items: itemViewsOf(batch, statuses) };
  }
}

@QueryHandler(GetBatchItems)
export class GetBatchItemsHandler implements IQueryHandler<GetBatchItems> {
  constructor(private readonly store: EventStore) {}

  async execute({ batchId }: GetBatchItems): Promise<readonly BatchItem[]> {
    return batchItemsOf((await readBatch(this.store, batchId, 1)).batch);
  }
}

/** @param limit events */
async function readBatch(store: EventStore, batchId: string, limit?: number) {
  const events = eventsAs<BatchEvent>(await store.readStream(batchStream(batchId), { limit }));
  const batch = fold(batchDecider, batchDecider.initialState, events);
  if (batch.status === 'absent') throw batchNotFound();
  return { batch, createdAt: events[0]!.recordedAt };
}

@QueryHandler(ListBatches)
export class ListBatchesHandler implements IQueryHandler<ListBatches> {
  constructor(private readonly pool: Pool) {}

  execute({ ownerId, query }: ListBatches): Promise<Page<BatchRow>> {
    const where = { owner_id: ownerId };
    return reportingOutages(() => readPage<BatchRow>(this.pool, { table: 'read.batches', where }, query));
  }
}

export const batchQueryHandlers = [GetBatchHandler, GetBatchItemsHandler, ListBatchesHandler];
