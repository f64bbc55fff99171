import type { Pool } from 'pg';

import { delay } from '../async/delay.js';
import type { Log } from '../telemetry/log.js';
import { advisoryKey } from './advisory-key.js';
import { closeClient } from './close-client.js';
import { reportingOutages } from './outage.js';
import { createClient, type PostgresOptions } from './pool.js';
import { WorkerSessions } from './worker-sessions.js';

const RETRY_MS = 250;
const PING_INTERVAL_MS = 1_000;
const PING_TIMEOUT_MS = 3_000;
/** All sessions end with the server: after its start, living workers need time to reconnect. */
const SERVER_UP_MS_MIN = 10_000;

const keyOf = (workerId: string): string => advisoryKey(`worker ${workerId}`);

/** All keys of this database, since pg_locks has no index anyway. A key has two halves (pg_locks.classid, objid). */
const OPEN_SESSIONS = {
  name: 'open_worker_sessions',
  text: `
    select extract(epoch from clock_timestamp() - pg_postmaster_start_time())::float8 * 1000 as "upMs",
      array(select ((classid::bigint << 32) | objid::bigint)::text from pg_locks
            where locktype = 'advisory' and objsubid = 1 and granted
              and database = (select oid from pg_database where datname = current_database())) as keys`,
};

export class PostgresWorkerSessions extends WorkerSessions {
  constructor(private readonly pool: Pool) {
    super();
  }

  override async open(workerIds: readonly string[]): Promise<ReadonlySet<string> | null> {
    const { rows } = await reportingOutages(() => this.pool.query<{ upMs: number; keys: string[] }>(OPEN_SESSIONS));
    const { upMs, keys } = rows[0]!;
    const locked = new Set(keys);
    return upMs < SERVER_UP_MS_MIN ? null : new Set(workerIds.filter((id) => locked.has(keyOf(id))));
  }
}

export interface WorkerSessionOptions {
  readonly workerId: string;
  readonly postgres: PostgresOptions;
  readonly log: Log;
}

/** The session of this worker: its own connection, which holds an advisory lock and does nothing else. */
export class WorkerSession {
  private opened = false;

  constructor(private readonly options: WorkerSessionOptions) {}

  get isOpen(): boolean {
    return this.opened;
  }

  /** Keeps it open until the signal aborts, and reopens it whenever it is lost. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.keepOpen(signal);
      } catch (error) {
        this.options.log.warn({ err: error }, 'the worker session is lost');
      }
      await delay(RETRY_MS, { signal });
    }
  }

  private async keepOpen(signal: AbortSignal): Promise<void> {
    const client = createClient({
      ...this.options.postgres,
      statementTimeoutMs: PING_TIMEOUT_MS,
      responseTimeoutMs: PING_TIMEOUT_MS,
    });
    const lost = new AbortController();
    client.on('error', (error) => lost.abort(error));
    client.on('end', () => lost.abort(new Error('the connection ended')));
    const over = AbortSignal.any([signal, lost.signal]);
    try {
      await client.connect();
      // Shared: a lost connection that Postgres has not noticed yet still holds the lock for the same worker.
      await client.query('select pg_advisory_lock_shared($1::bigint)', [keyOf(this.options.workerId)]);
      this.opened = true;
      // Postgres may have dropped a connection that was cut; without a query this process would not notice.
      while (!over.aborted) {
        await delay(PING_INTERVAL_MS, { signal: over });
        if (!over.aborted) await client.query('select 1');
      }
      if (!signal.aborted) throw lost.signal.reason;
    } finally {
      this.opened = false;
      await closeClient(client);
    }
  }
}
