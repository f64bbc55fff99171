import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { Pool } from 'pg';

import { fold } from '../../event-sourcing/core/decider.js';
import { EventStore } from '../../event-sourcing/core/event-store.js';
import { eventsAs, type RecordedEvent } from '../../event-sourcing/core/event.js';
import { CurrentRows } from '../../event-sourcing/projection/current-rows.js';
import { type ListQuery, type Page, readPage } from '../../http/listing/list-query.js';
import { type Requester, requireOwner } from '../../kernel/requester.js';
import { reportingOutages } from '../../platform/postgres/outage.js';
import { webhookNotFound, webhookStream } from '../domain/webhook-decider.js';
import type { WebhookEvent } from '../domain/webhook-events.js';
import { projectWebhook, webhookProjection, type WebhookRow } from './webhook-projection.js';

/** A webhook as it is now, even if the read model lags. @throws DomainError webhook_not_found, access_denied */
export class GetWebhook extends Query<WebhookRow> {
  constructor(
    readonly webhookId: string,
    readonly requester: Requester,
  ) {
    super();
  }
}

/** A webhook from its own stream. @throws DomainError webhook_not_found */
export class GetWebhookFromLog extends Query<WebhookRow> {
  constructor(
    readonly webhookId: string,
    /** The last version to include. */
    readonly version?: number,
  ) {
    super();
  }
}

export class ListWebhooks extends Query<Page<WebhookRow>> {
  constructor(
    readonly ownerId: string,
    readonly query: ListQuery,
  ) {
    super();
  }
}

/** How many webhooks a user has, as far as the read model knows. */
export class CountWebhooks extends Query<number> {
  constructor(readonly ownerId: string) {
    super();
  }
}

@QueryHandler(GetWebhook)
export class GetWebhookHandler implements IQueryHandler<GetWebhook> {
  private readonly current: CurrentRows<WebhookRow>;

  constructor(pool: Pool, store: EventStore) {
    this.current = new CurrentRows<WebhookRow>({
      pool,
      store,
      projection: webhookProjection,
      streamType: 'webhook',
      project: (row, event) => projectWebhook(row, event as RecordedEvent<WebhookEvent>),
      removedBy: ['WebhookDeleted'],
    });
  }

  async execute({ webhookId, requester }: GetWebhook): Promise<WebhookRow> {
    const row = await this.current.find(webhookId);
    if (!row) throw webhookNotFound();
    requireOwner(requester, row.owner_id);
    return row;
  }
}

@QueryHandler(GetWebhookFromLog)
export class GetWebhookFromLogHandler implements IQueryHandler<GetWebhookFromLog> {
  constructor(private readonly store: EventStore) {}

  async execute({ webhookId, version }: GetWebhookFromLog): Promise<WebhookRow> {
    const events = eventsAs<WebhookEvent>(await this.store.readStream(webhookStream(webhookId), { limit: version }));
    const row = fold({ evolve: projectWebhook }, null as WebhookRow | null, events);
    if (!row) throw webhookNotFound();
    return row;
  }
}

@QueryHandler(ListWebhooks)
export class ListWebhooksHandler implements IQueryHandler<ListWebhooks> {
  constructor(private readonly pool: Pool) {}

  execute({ ownerId, query }: ListWebhooks): Promise<Page<WebhookRow>> {
    const where = { owner_id: ownerId };
    return reportingOutages(() => readPage<WebhookRow>(this.pool, { table: 'read.webhooks', where }, query));
  }
}

@QueryHandler(CountWebhooks)
export class CountWebhooksHandler implements IQueryHandler<CountWebhooks> {
  constructor(private readonly pool: Pool) {}

  async execute({ ownerId }: CountWebhooks): Promise<number> {
    const { rows } = await reportingOutages(() =>
      this.pool.query<{ count: number }>('select count(*)::int as count from read.webhooks where owner_id = $1', [
        ownerId,
      ]),
    );
    return rows[0]!.count;
  }
}

export const webhookQueryHandlers = [
  GetWebhookHandler,
  GetWebhookFromLogHandler,
  ListWebhooksHandler,
  CountWebhooksHandler,
];
