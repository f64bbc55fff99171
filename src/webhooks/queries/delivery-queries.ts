import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { Pool } from 'pg';

import { fold } from '../../event-sourcing/core/decider.js';
import { EventStore } from '../../event-sourcing/core/event-store.js';
import { eventsAs } from '../../event-sourcing/core/event.js';
import { type ListQuery, type Page, readPage } from '../../http/listing/list-query.js';
import { reportingOutages } from '../../platform/postgres/outage.js';
import { deliveryNotFound, type DeliveryStatus, deliveryStream } from '../domain/delivery-decider.js';
import type { DeliveryEvent } from '../domain/delivery-events.js';
import { type DeliveryRow, projectDelivery } from './delivery-projection.js';

/** A delivery from its own stream. @throws DomainError delivery_not_found */
export class GetDelivery extends Query<DeliveryRow> {
  constructor(
    readonly deliveryId: string,
    /** The last version to include. */
    readonly version?: number,
  ) {
    super();
  }
}

/** The deliveries of a webhook. */
export class ListDeliveries extends Query<Page<DeliveryRow>> {
  constructor(
    readonly webhookId: string,
    readonly query: ListQuery & { readonly status?: DeliveryStatus | undefined },
  ) {
    super();
  }
}

@QueryHandler(GetDelivery)
export class GetDeliveryHandler implements IQueryHandler<GetDelivery> {
  constructor(private readonly store: EventStore) {}

  async execute({ deliveryId, version }: GetDelivery): Promise<DeliveryRow> {
    const events = eventsAs<DeliveryEvent>(await this.store.readStream(deliveryStream(deliveryId), { limit: version }));
    const row = fold({ evolve: projectDelivery }, null as DeliveryRow | null, events);
    if (!row) throw deliveryNotFound();
    return row;
  }
}

@QueryHandler(ListDeliveries)
export class ListDeliveriesHandler implements IQueryHandler<ListDeliveries> {
  constructor(private readonly pool: Pool) {}

  execute({ webhookId, query }: ListDeliveries): Promise<Page<DeliveryRow>> {
    const where = { webhook_id: webhookId, status: query.status };
    return reportingOutages(() => readPage<DeliveryRow>(this.pool, { table: 'read.webhook_deliveries', where }, query));
  }
}

export const deliveryQueryHandlers = [GetDeliveryHandler, ListDeliveriesHandler];
