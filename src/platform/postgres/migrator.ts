import { Migrator } from '@mikro-orm/migrations';
import { MikroORM, type Options } from '@mikro-orm/postgresql';

import { MIGRATIONS } from '../../../migrations/all.js';
import { createClient, type PostgresOptions } from './pool.js';

export interface MigratorOptions {
  /** Of the owner's role: it owns every schema, and the service never connects as it. */
  readonly owner: PostgresOptions;
  /** The role the service runs as; it must exist. Migrations grant to it. */
  readonly appRole: string;
}

/** Two instances that start together migrate one after the other. */
const MIGRATION_LOCK = [0x7672, 1] as const;

/** Applies pending migrations, oldest first, each in a transaction. @returns the names applied */
export const migrateUp = (options: MigratorOptions): Promise<string[]> =>
  withMigrator(options, async (migrator) => (await migrator.up()).map(({ name }) => name));

/** Reverts the newest migration. The database refuses this if it would lose events. @returns the names reverted */
export const migrateDown = (options: MigratorOptions): Promise<string[]> =>
  withMigrator(options, async (migrator) => (await migrator.down()).map(({ name }) => name));

/** The names of migrations not applied yet, oldest first. */
export const pendingMigrations = (options: MigratorOptions): Promise<string[]> =>
  withMigrator(options, async (migrator) => (await migrator.getPending()).map(({ name }) => name));

async function withMigrator<T>(options: MigratorOptions, work: (migrator: Migrator) => Promise<T>): Promise<T> {
  const lock = createClient({ ...options.owner, statementTimeoutMs: 0 });
  await lock.connect();
  try {
    await lock.query('select pg_advisory_lock($1, $2)', [...MIGRATION_LOCK]);
    const orm = await MikroORM.init(ormOptions(options));
    try {
      return await work(new Migrator(orm.em));
    } finally {
      await orm.close(true);
    }
  } finally {
    await lock.end();
  }
}

function ormOptions({ owner, appRole }: MigratorOptions): Options {
  return {
    host: owner.host,
    port: owner.port,
    dbName: owner.database,
    user: owner.user,
    password: owner.password,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    pool: { min: 0, max: 1 },
    driverOptions: {
      application_name: owner.applicationName,
      options: `-c voidrunner.app_role=${appRole.replace(/[\\ ]/g, String.raw`\$&`)}`,
      ...(owner.sslMode &&
        owner.sslMode !== 'disable' && {
          ssl: { rejectUnauthorized: owner.sslMode === 'verify-full' },
        }),
    },
    // As a list: MikroORM's own discovery depends on the working folder and on guessing whether TypeScript runs.
    migrations: { migrationsList: MIGRATIONS, snapshot: false, silent: true, disableForeignKeys: false },
    extensions: [Migrator],
  };
}
