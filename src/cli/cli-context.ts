import type { Pool } from 'pg';

import { createEventCatalog } from '../composition/event-catalog.js';
import { postgresOptions } from '../composition/postgres-options.js';
import { masterKeysOf } from '../composition/secrets.js';
import { type Config, loadConfig } from '../config/load-config.js';
import { DecisionRunner } from '../event-sourcing/core/decision-runner.js';
import type { EventCatalog } from '../event-sourcing/core/event-catalog.js';
import { PostgresEventStore } from '../event-sourcing/event-store/postgres-event-store.js';
import { PostgresSnapshotStore } from '../event-sourcing/event-store/snapshots.js';
import type { AccountAdministration } from '../identity/app/account-administration.js';
import type { AccountErasure } from '../identity/app/account-erasure.js';
import { DataKeys } from '../platform/payloads/data-keys.js';
import { createPool } from '../platform/postgres/pool.js';
import { type Log, silentLog } from '../platform/telemetry/log.js';

/** The resources of a command that reads the log: no NATS, no Redis, no Docker. */
export interface CliContext {
  readonly config: Config;
  readonly log: Log;
  readonly catalog: EventCatalog;
  readonly pool: Pool;
  readonly store: PostgresEventStore;
}

export async function withLog<T>(work: (context: CliContext) => Promise<T>): Promise<T> {
  const config = loadConfig();
  const log = silentLog;
  const catalog = createEventCatalog();
  const pool = createPool({ ...postgresOptions(config, 'cli'), size: 4 });
  const store = new PostgresEventStore({ postgres: postgresOptions(config, 'cli'), pool, catalog, log });
  try {
    return await work({ config, log, catalog, pool, store });
  } finally {
    await store.close();
    await pool.end();
  }
}

/** For commands that append to the log themselves. */
export const decisionsOf = ({ pool, store, catalog }: CliContext): DecisionRunner =>
  new DecisionRunner(store, catalog, new PostgresSnapshotStore(pool));

export interface CliAccounts {
  readonly accounts: AccountAdministration;
  readonly erasure: AccountErasure;
  readonly keys: DataKeys;
}

/** Like withLog, and also opens account administration. */
export const withAccounts = (work: (accounts: CliAccounts, context: CliContext) => Promise<void>): Promise<void> =>
  withLog(async (context) => {
    const { config, pool, store, log } = context;
    const keys = new DataKeys(pool, masterKeysOf(config));
    // Loaded here, because it loads MikroORM, which help does not need.
    const { openAccountAdministration } = await import('../composition/identity.js');
    const { accounts, erasure, close } = await openAccountAdministration(config, { store, keys }, log);
    try {
      await work({ accounts, erasure, keys }, context);
    } finally {
      await close();
    }
  });
