import type { Pool } from 'pg';

import { NIL_UUID } from '../../kernel/uuid.js';
import { reportingOutages } from '../../platform/postgres/outage.js';
import type { DeliveryRow } from '../queries/delivery-projection.js';

/** A delivery whose next attempt is due. */
export type DueDelivery = DeliveryRow & {
  /** Of the webhook, or of its execution. */
  readonly target_endpoint: string | null;
  /** Whether its webhook has failed since its last success. Of the receiver of a single execution nothing is known. */
  readonly is_failing: boolean;
};

/** A delivery that waits for a webhook that is disabled, or deleted. */
export type EndedDelivery = Pick<DeliveryRow, 'id' | 'source_id' | 'event_id' | 'traceparent'> & {
  readonly reason: 'disabled' | 'deleted';
};

export interface WebhookToDisable {
  readonly webhook_id: string;
  readonly reason: 'gone' | 'failing' | 'backlog';
  readonly version: number;
}

/** Lanes that one statement looks at. */
export const LANES_AT_A_TIME = 64;
/** Deliveries of one lane. */
const PER_LANE = 4;
/** Of the deliveries of a lane, those that may be due and are looked at. */
const CANDIDATES = 64;
const ROWS_AT_A_TIME = 200;

/** The lanes after $1 in which something waits, one probe of an index each, however many deliveries wait there. */
const WAITING_LANES = `
  recursive lanes (lane) as (
    (select lane from read.webhook_deliveries where status = 'pending' and lane > $1 order by lane limit 1)
    union all
    select (select d.lane from read.webhook_deliveries d
            where d.status = 'pending' and d.lane > lanes.lane order by d.lane limit 1)
    from lanes where lanes.lane is not null
  )`;

/**
 * Up to {@link PER_LANE} deliveries of a lane that are due and the first ones of their source, of the oldest or the
 * newest {@link CANDIDATES}.
 *
 * The first of its source is a scalar subquery, which is one probe of an index. As `not exists`, it became a join that
 * compared all deliveries of a lane with each other: minutes for 50,000.
 */
const dueOf = (attempts: '= 0' | '> 0', order: 'asc' | 'desc'): string => `(
  select * from (
    select * from read.webhook_deliveries d
    where d.status = 'pending' and d.attempts ${attempts} and d.lane = page.lane and d.due_at <= $2
      and d.id <> all ($3::uuid[])
    order by d.due_at ${order}, d.id ${order} limit ${CANDIDATES}
  ) candidate
  where candidate.source_version <= (
    select first.source_version from read.webhook_deliveries first
    where first.status = 'pending' and first.lane = candidate.lane and first.source_id = candidate.source_id
    order by first.source_version limit 1)
  order by due_at ${order}, id ${order} limit ${PER_LANE})`;

/**
 * What is due in the lanes of `page`. A delivery is due only if none of an earlier event of the same source waits in
 * its lane, and not for a webhook that is disabled or deleted: what waits there is abandoned.
 *
 * Tens of thousands may wait in a lane for an earlier event, which waits for its retry: looking at each takes a third
 * of a second. So only the oldest and the newest are looked at. The newest, because a receiver that works again is told
 * at once what happens now; those between have their turn when the older ones have ended.
 */
const DUE_IN_PAGE = `
  select due.*, page.lane as page_lane, coalesce(due.endpoint, t.endpoint) as target_endpoint,
    t.failing_since is not null as is_failing
  from page
  left join read.webhook_targets t on t.webhook_id = page.lane
  left join lateral (
    select * from (
      ${dueOf('> 0', 'asc')} union ${dueOf('= 0', 'asc')} union ${dueOf('= 0', 'desc')}
    ) of_lane
    order by due_at, id limit ${PER_LANE}
  ) due on due.webhook_id is null or t.status = 'enabled'
  order by page.lane, due.due_at, due.id`;

const DUE_AFTER = `
  with ${WAITING_LANES},
  page as (select lane from lanes where lane is not null limit ${LANES_AT_A_TIME})
  ${DUE_IN_PAGE}`;

const DUE_IN = `with page as (select distinct lane from unnest($1::uuid[]) as given (lane)) ${DUE_IN_PAGE}`;

/** The lane of an execution's own webhook has no target either, but its deliveries name no webhook. */
const OF_ENDED = `
  with ${WAITING_LANES},
  ended as materialized (
    select lanes.lane, case when t.webhook_id is null then 'deleted' else 'disabled' end as reason
    from lanes
    left join read.webhook_targets t on t.webhook_id = lanes.lane
    where lanes.lane is not null and t.status is distinct from 'enabled' and (
      select d.webhook_id from read.webhook_deliveries d
      where d.status = 'pending' and d.lane = lanes.lane order by d.source_id limit 1
    ) is not null
  )
  select d.id, d.source_id, d.event_id, d.traceparent, ended.reason
  from ended cross join lateral (
    select * from read.webhook_deliveries d
    where d.status = 'pending' and d.lane = ended.lane and d.id <> all ($2::uuid[])
    order by d.source_id limit ${ROWS_AT_A_TIME}
  ) d
  limit ${ROWS_AT_A_TIME}`;

const TO_DISABLE = `
  with ${WAITING_LANES},
  failing as (
    select t.webhook_id, case when t.is_gone then 'gone' else 'failing' end as reason, t.version
    from read.webhook_targets t
    where t.failing_since is not null and t.status = 'enabled' and (t.is_gone or (t.failing_since < $3 and exists (
      select from read.webhook_deliveries d where d.status = 'pending' and d.attempts > 0 and d.lane = t.webhook_id)))
    limit ${ROWS_AT_A_TIME}
  ),
  behind as (
    select lanes.lane as webhook_id, 'backlog' as reason, t.version
    from lanes
    join read.webhook_targets t on t.webhook_id = lanes.lane
    where t.status = 'enabled' and exists (
      select from read.webhook_deliveries d where d.status = 'pending' and d.lane = lanes.lane offset $2 limit 1)
    limit ${ROWS_AT_A_TIME}
  )
  select * from failing
  union all
  select * from behind where webhook_id not in (select webhook_id from failing)`;

/** What the dispatcher has to do, by the tables of its subscription. Every method may throw Unavailable. */
export class PendingDeliveries {
  constructor(private readonly pool: Pick<Pool, 'query'>) {}

  /**
   * @param afterLane where the last page ended; null for the first
   * @param except deliveries whose attempt is under way
   * @returns the due deliveries of the next lanes, the last of these lanes, or null if there are no further ones, and
   *   how many lanes there were
   */
  async due(
    afterLane: string | null,
    now: Date,
    except: readonly string[],
  ): Promise<{ deliveries: readonly DueDelivery[]; lane: string | null; lanes: number }> {
    const { rows } = await reportingOutages(() =>
      this.pool.query<DueDelivery & { page_lane: string }>(DUE_AFTER, [afterLane ?? NIL_UUID, now, except]),
    );
    const lanes = new Set(rows.map(({ page_lane }) => page_lane)).size;
    const lane = lanes < LANES_AT_A_TIME ? null : rows.at(-1)!.page_lane;
    return { deliveries: rows.filter(isDelivery), lane, lanes };
  }

  /** The due deliveries of these lanes. */
  async dueIn(lanes: readonly string[], now: Date, except: readonly string[]): Promise<readonly DueDelivery[]> {
    const { rows } = await reportingOutages(() => this.pool.query<DueDelivery>(DUE_IN, [lanes, now, except]));
    return rows.filter(isDelivery);
  }

  /** At most {@link ROWS_AT_A_TIME}. @param except deliveries whose attempt is under way */
  async ofEndedWebhooks(except: readonly string[]): Promise<readonly EndedDelivery[]> {
    return (await reportingOutages(() => this.pool.query<EndedDelivery>(OF_ENDED, [NIL_UUID, except]))).rows;
  }

  /**
   * Webhooks that are gone, for which more deliveries wait, or that have failed since a time without a success and
   * whose failures are still repeated.
   */
  async toDisable(pendingMax: number, failingSince: Date): Promise<readonly WebhookToDisable[]> {
    return (
      await reportingOutages(() => this.pool.query<WebhookToDisable>(TO_DISABLE, [NIL_UUID, pendingMax, failingSince]))
    ).rows;
  }
}

/** A lane in which nothing is due is a row of nulls. */
const isDelivery = ({ id }: { readonly id: string | null }): boolean => id !== null;
