import type { Pool } from 'pg';

import { reportingOutages } from '../postgres/outage.js';

/** Destroyed in one statement: a payload has up to 64 MiB, most a few KiB. */
const PAYLOADS_AT_A_TIME = 200;
/** Of the log, looked through in one statement for tasks that were deleted. */
const EVENTS_AT_A_TIME = 5_000;

export interface SweepOptions {
  readonly pool: Pool;
  /** How long inputs and outputs of runs are kept, in milliseconds; 0: for ever. */
  readonly runsMs: number;
  /** How long the scripts of a deleted task are kept, in milliseconds; 0: for ever. */
  readonly deletedTasksMs: number;
}

/** What was destroyed. */
export interface Swept {
  readonly payloads: number;
  readonly bytes: number;
}

const AGED = `
  select payload_id from es.payloads
  where kind <> 'script' and created_at < now() - $1 * interval '1 millisecond'
  order by created_at limit $2`;

const OWNED = 'select payload_id from es.payloads where owner_id = $1 limit $2';

/** Up to which event of the log the sweep may go on, and the tasks that were deleted by then. */
const DELETED = `
  with page as (
    select position, type, stream_id, recorded_at from es.events
    where position > (select position from es.retention) order by position limit $2
  )
  select max(position)::text as until, array_agg(stream_id::text) filter (where type = 'TaskDeleted') as tasks
  from page where recorded_at < now() - $1 * interval '1 millisecond'`;

/**
 * All scripts that the tasks ever had, at the places where the service itself writes them, and only their owners': a
 * task's metadata is any JSON, and may name payloads as well.
 */
const SCRIPTS = `
  select distinct p.payload_id
  from es.events e
  join es.events created on created.stream_id = e.stream_id and created.version = 1
  join es.payloads p
    on p.payload_id = coalesce(
      e.data #>> '{definition,script,payload_id}', e.data #>> '{changes,script,payload_id}')::uuid
  where e.stream_type = 'task' and e.stream_id = any($1::uuid[]) and e.type in ('TaskCreated', 'TaskUpdated')
    and p.kind = 'script' and p.owner_id = (created.data ->> 'owner_id')::uuid`;

const DESTROY =
  'select count(*)::int as payloads, coalesce(sum(bytes), 0)::float8 as bytes from es.destroy_payloads($1)';

/**
 * Destroys payloads that are no longer kept. Their hashes stay, in their events and in es.destroyed_payloads, so that a
 * history is as provable as before. Several processes may sweep at a time: what is gone is gone. Everything may throw
 * Unavailable.
 */
export class PayloadSweep {
  private destroyed: Swept = { payloads: 0, bytes: 0 };

  constructor(private readonly options: SweepOptions) {}

  /** Since the start of the process. */
  get figures(): Swept {
    return this.destroyed;
  }

  /** @param signal ends it between two statements */
  async sweep(signal: AbortSignal): Promise<Swept> {
    const before = this.destroyed;
    const { runsMs, deletedTasksMs } = this.options;
    if (runsMs > 0) await this.destroyAll(AGED, runsMs, signal);
    if (deletedTasksMs > 0) await this.destroyOfDeletedTasks(signal);
    return { payloads: this.destroyed.payloads - before.payloads, bytes: this.destroyed.bytes - before.bytes };
  }

  /** Everything of an owner. */
  destroyOf(ownerId: string, signal: AbortSignal): Promise<void> {
    return this.destroyAll(OWNED, ownerId, signal);
  }

  private async destroyAll(select: string, of: string | number, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const found = await this.query<{ payload_id: string }>(select, [of, PAYLOADS_AT_A_TIME]);
      await this.destroy(found.map(({ payload_id }) => payload_id));
      if (found.length < PAYLOADS_AT_A_TIME) return;
    }
  }

  private async destroyOfDeletedTasks(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const [page] = await this.query<{ until: string | null; tasks: string[] | null }>(DELETED, [
        this.options.deletedTasksMs,
        EVENTS_AT_A_TIME,
      ]);
      const { until, tasks } = page!;
      if (until === null) return;
      const scripts = tasks === null ? [] : await this.query<{ payload_id: string }>(SCRIPTS, [tasks]);
      for (let at = 0; at < scripts.length; at += PAYLOADS_AT_A_TIME) {
        await this.destroy(scripts.slice(at, at + PAYLOADS_AT_A_TIME).map(({ payload_id }) => payload_id));
      }
      // Only now: what was not destroyed is found again.
      await this.query('update es.retention set position = greatest(position, $1)', [until]);
    }
  }

  private async destroy(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const [gone] = await this.query<Swept>(DESTROY, [ids]);
    const { payloads, bytes } = this.destroyed;
    this.destroyed = { payloads: payloads + gone!.payloads, bytes: bytes + gone!.bytes };
  }

  private async query<Row>(text: string, values: unknown[]): Promise<Row[]> {
    const { rows } = await reportingOutages(() => this.options.pool.query(text, values));
    return rows as Row[];
  }
}
