import type { Pool } from 'pg';

import { reportingOutages } from '../postgres/outage.js';
import { type Destroyed, PayloadDestruction, PAYLOADS_AT_A_TIME } from './payload-destruction.js';

/** Events of the log that one statement checks for deleted tasks. */
const EVENTS_AT_A_TIME = 5_000;

/** In milliseconds; 0: without limit. */
export interface Retention {
  /** For inputs and outputs of runs, after they were stored. */
  readonly executionsMs: number;
  /** For the scripts and tests of a task, after it was deleted. */
  readonly deletedTasksMs: number;
  /** For scripts and tests that no event refers to: they are stored first, and the change may be refused. */
  readonly unreferencedScriptsMs: number;
}

/** What to destroy next, and up to where the sweep then is. */
interface Page {
  readonly until: string | null;
  readonly payloads: readonly string[];
}

const AGED = `
  select payload_id from es.payloads
  where kind not in ('script', 'suite') and created_at < now() - $1 * interval '1 millisecond'
  order by created_at limit $2`;

/** The position up to which the sweep may go on, and the tasks that were deleted by then. */
const DELETED = `
  with page as (
    select position, type, stream_id, recorded_at from es.events
    where position > (select position from es.retention) order by position limit $2
  )
  select max(position)::text as until, array_agg(stream_id::text) filter (where type = 'TaskDeleted') as tasks
  from page where recorded_at < now() - $1 * interval '1 millisecond'`;

/**
 * All scripts and tests that the tasks ever had, read from where the service writes them, and only those of their owners:
 * the metadata of a task is any JSON, and may name payloads as well.
 */
const SCRIPTS = `
  select distinct p.payload_id
  from es.events e
  join es.events created on created.stream_id = e.stream_id and created.version = 1
  join es.payloads p on p.payload_id in (es.script_of(e.data)::uuid, es.suite_of(e.data)::uuid)
  where e.stream_type = 'task' and e.stream_id = any($1::uuid[]) and e.type in ('TaskCreated', 'TaskUpdated')
    and p.kind in ('script', 'suite') and p.owner_id = (created.data ->> 'owner_id')::uuid`;

/** Each one is checked once. A page also includes all that were stored at its last moment. */
const UNREFERENCED = `
  with page as (
    select payload_id, created_at from es.payloads
    where kind in ('script', 'suite') and created_at > (select scripts_until from es.retention)
      and created_at < now() - $1 * interval '1 millisecond'
    order by created_at fetch first $2 rows with ties
  )
  select max(created_at)::text as until, array_agg(payload_id::text) filter (where not exists (
    select from es.events e
    where e.type in ('TaskCreated', 'TaskUpdated') and es.script_of(e.data) = page.payload_id::text
  ) and not exists (
    select from es.events e
    where e.type in ('TaskCreated', 'TaskUpdated') and es.suite_of(e.data) = page.payload_id::text
  )) as scripts
  from page`;

/**
 * Destroys payloads that are no longer kept. Several processes may sweep at a time, because destroying is idempotent.
 * Every method may throw Unavailable.
 */
export class PayloadSweep {
  private readonly destruction: PayloadDestruction;

  constructor(
    private readonly pool: Pool,
    private readonly retention: Retention,
  ) {
    this.destruction = new PayloadDestruction(pool);
  }

  /** Since the start of the process. */
  get figures(): Destroyed {
    return this.destruction.figures;
  }

  /** @param signal stops it between two statements */
  async sweep(signal: AbortSignal): Promise<Destroyed> {
    const before = this.figures;
    const { executionsMs, deletedTasksMs, unreferencedScriptsMs } = this.retention;
    if (executionsMs > 0) await this.destruction.destroySelected(AGED, executionsMs, signal);
    if (deletedTasksMs > 0) await this.destroyOfDeletedTasks(deletedTasksMs, signal);
    if (unreferencedScriptsMs > 0) await this.destroyUnreferencedScripts(unreferencedScriptsMs, signal);
    return { payloads: this.figures.payloads - before.payloads, bytes: this.figures.bytes - before.bytes };
  }

  private destroyOfDeletedTasks(keptMs: number, signal: AbortSignal): Promise<void> {
    return this.destroyByPage('position', signal, async () => {
      const [page] = await this.query<{ until: string | null; tasks: string[] | null }>(DELETED, [
        keptMs,
        EVENTS_AT_A_TIME,
      ]);
      const { until, tasks } = page!;
      const scripts = tasks === null ? [] : await this.query<{ payload_id: string }>(SCRIPTS, [tasks]);
      return { until, payloads: scripts.map(({ payload_id }) => payload_id) };
    });
  }

  private destroyUnreferencedScripts(keptMs: number, signal: AbortSignal): Promise<void> {
    return this.destroyByPage('scripts_until', signal, async () => {
      const [page] = await this.query<{ until: string | null; scripts: string[] | null }>(UNREFERENCED, [
        keptMs,
        PAYLOADS_AT_A_TIME,
      ]);
      return { until: page!.until, payloads: page!.scripts ?? [] };
    });
  }

  /** @param cursor column of es.retention, from which the next page starts. A page without `until` is the end. */
  private async destroyByPage(cursor: 'position' | 'scripts_until', signal: AbortSignal, next: () => Promise<Page>) {
    for (;;) {
      signal.throwIfAborted();
      const { until, payloads } = await next();
      if (until === null) return;
      await this.destruction.destroy(payloads);
      // Only now: payloads that were not destroyed are found again.
      await this.query(`update es.retention set ${cursor} = greatest(${cursor}, $1)`, [until]);
    }
  }

  private async query<Row>(text: string, values: unknown[]): Promise<Row[]> {
    const { rows } = await reportingOutages(() => this.pool.query(text, values));
    return rows as Row[];
  }
}
