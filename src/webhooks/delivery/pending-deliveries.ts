import type { Pool } from 'pg';

import { reportingOutages } from '../../platform/postgres/outage.js';
import type { DeliveryRow } from '../queries/delivery-projection.js';

/** A delivery whose next attempt is due. */
export type DueDelivery = DeliveryRow & {
  /** Of the webhook, or of its execution; null if the webhook is deleted. */
  readonly target_endpoint: string | null;
  /** Whether deliveries of the same lane wait after a failure. */
  readonly is_failing: boolean;
};

/** A delivery that waits for a webhook that is disabled, or deleted. */
export type EndedDelivery = Pick<DeliveryRow, 'id' | 'source_id' | 'event_id' | 'traceparent'> & {
  readonly reason: 'disabled' | 'deleted';
};

export interface WebhookToDisable {
  readonly webhook_id: string;
  readonly reason: 'backlog' | 'failing';
}

/** Lanes that one statement looks at. */
const LANES_AT_A_TIME = 64;
/** Deliveries of one lane. */
const PER_LANE = 4;
const ROWS_AT_A_TIME = 200;
const NIL = '00000000-0000-0000-0000-000000000000';

/**
 * Lane by lane, so that thousands of deliveries to a dead receiver cost one probe of an index. In a lane, a delivery
 * is due only if none of an earlier event of the same source is pending.
 */
const DUE = `
  with recursive lanes (lane) as (
    (select lane from read.webhook_deliveries where status = 'pending' and lane > $1 order by lane limit 1)
    union all
    select (select d.lane from read.webhook_deliveries d
            where d.status = 'pending' and d.lane > lanes.lane order by d.lane limit 1)
    from lanes where lanes.lane is not null
  )
  select due.*, page.lane as page_lane, coalesce(due.endpoint, t.endpoint) as target_endpoint, exists (
    select from read.webhook_deliveries f where f.status = 'pending' and f.attempts > 0 and f.lane = page.lane
  ) as is_failing
  from (select lane from lanes where lane is not null limit ${LANES_AT_A_TIME}) page
  left join lateral (
    select * from read.webhook_deliveries d
    where d.status = 'pending' and d.lane = page.lane and d.due_at <= $2 and d.id <> all ($3::uuid[])
      and not exists (
        select from read.webhook_deliveries earlier
        where earlier.status = 'pending' and earlier.lane = d.lane and earlier.source_id = d.source_id
          and earlier.source_version < d.source_version)
    order by d.due_at, d.id limit ${PER_LANE}
  ) due on true
  left join read.webhook_targets t on t.webhook_id = due.webhook_id
  order by page.lane`;

const OF_ENDED = `
  select d.id, d.source_id, d.event_id, d.traceparent,
    case when t.webhook_id is null then 'deleted' else 'disabled' end as reason
  from read.webhook_deliveries d
  left join read.webhook_targets t on t.webhook_id = d.webhook_id
  where d.status = 'pending' and d.webhook_id is not null and t.status is distinct from 'enabled'
  limit ${ROWS_AT_A_TIME}`;

const TO_DISABLE = `
  select t.webhook_id, case when waiting.n > $1 then 'backlog' else 'failing' end as reason
  from read.webhook_targets t
  cross join lateral (
    select count(*) as n from read.webhook_deliveries d where d.status = 'pending' and d.lane = t.webhook_id
  ) waiting
  cross join lateral (
    select min(f.created_at) as since from read.webhook_deliveries f
    where f.webhook_id = t.webhook_id and f.status <> 'delivered' and f.failure is not null
      and f.created_at > greatest(t.enabled_at, (
        select max(s.completed_at) from read.webhook_deliveries s
        where s.webhook_id = t.webhook_id and s.status = 'delivered'))
  ) failing
  where t.status = 'enabled' and (waiting.n > $1 or failing.since < $2)
  limit ${ROWS_AT_A_TIME}`;

/** What the dispatcher has to do, by the tables of its subscription. Every method may throw Unavailable. */
export class PendingDeliveries {
  constructor(private readonly pool: Pick<Pool, 'query'>) {}

  /**
   * @param afterLane where the last page ended; null for the first
   * @param except deliveries whose attempt is under way
   * @returns the due deliveries of the next lanes, and the last of these lanes; null if there are no further ones
   */
  async due(
    afterLane: string | null,
    now: Date,
    except: readonly string[],
  ): Promise<{ deliveries: readonly DueDelivery[]; lane: string | null }> {
    const { rows } = await reportingOutages(() =>
      this.pool.query<DueDelivery & { page_lane: string }>(DUE, [afterLane ?? NIL, now, except]),
    );
    const deliveries = rows.filter(({ id }) => (id as string | null) !== null);
    return { deliveries, lane: rows.at(-1)?.page_lane ?? null };
  }

  /** At most {@link ROWS_AT_A_TIME}. */
  async ofEndedWebhooks(): Promise<readonly EndedDelivery[]> {
    return (await reportingOutages(() => this.pool.query<EndedDelivery>(OF_ENDED))).rows;
  }

  /** Webhooks for which more deliveries wait, or that have failed since a time without a success. */
  async toDisable(pendingMax: number, failingSince: Date): Promise<readonly WebhookToDisable[]> {
    return (await reportingOutages(() => this.pool.query<WebhookToDisable>(TO_DISABLE, [pendingMax, failingSince])))
      .rows;
  }
}
