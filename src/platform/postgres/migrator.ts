import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { MikroORM, type Options } from '@mikro-orm/postgresql';
import { type Migration, Migrator } from '@mikro-orm/migrations';

import { createClient, type PostgresOptions } from './pool.js';

export interface MigratorOptions {
  /** Of the owner's role: it owns every schema, and the service never connects as it. */
  readonly owner: PostgresOptions;
  /** The role the service runs as; it must exist. Migrations grant to it. */
  readonly appRole: string;
}

type MigrationClass = new (...args: ConstructorParameters<typeof Migration>) => Migration;

/** The sources' migrations/ when run from the sources, the built ones when built: both lie three folders up. */
export const MIGRATIONS_FOLDER = resolve(import.meta.dirname, '../../../migrations');
const MIGRATION_FILE = /^(Migration\d{14}_\w+)\.(?:js|ts)$/;
/** Two instances that start together migrate one after the other. */
const MIGRATION_LOCK = [0x7672, 1] as const;

/** Applies what is pending, oldest first, each migration in a transaction. @returns the names applied */
export const migrateUp = (options: MigratorOptions): Promise<string[]> =>
  withMigrator(options, async (migrator) => (await migrator.up()).map(({ name }) => name));

/** Reverts the newest migration. Refused by the database where that would lose events. @returns the names reverted */
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
    const orm = await MikroORM.init(ormOptions(options, await loadMigrations()));
    try {
      return await work(new Migrator(orm.em));
    } finally {
      await orm.close(true);
    }
  } finally {
    await lock.end();
  }
}

/**
 * Imported here and handed over as a list: MikroORM's own discovery depends on the working folder and on guessing
 * whether TypeScript runs.
 */
async function loadMigrations(): Promise<{ name: string; class: MigrationClass }[]> {
  const files = (await readdir(MIGRATIONS_FOLDER)).filter((file) => MIGRATION_FILE.test(file)).sort();
  return Promise.all(
    files.map(async (file) => {
      const name = MIGRATION_FILE.exec(file)?.[1] as string;
      const module = (await import(pathToFileURL(join(MIGRATIONS_FOLDER, file)).href)) as Record<
        string,
        MigrationClass
      >;
      const found = module[name.replace(/_.*/, '')] ?? Object.values(module)[0];
      if (!found) throw new Error(`${file} exports no migration`);
      return { name, class: found };
    }),
  );
}

function ormOptions(
  { owner, appRole }: MigratorOptions,
  migrationsList: { name: string; class: MigrationClass }[],
): Options {
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
    migrations: { migrationsList, snapshot: false, silent: true, disableForeignKeys: false },
    extensions: [Migrator],
  };
}
