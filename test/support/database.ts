import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Client, Pool } from 'pg';

import { ignoreErrors } from '../../src/platform/async/ignore-errors.js';
import { migrateUp } from '../../src/platform/postgres/migrator.js';
import { createClient, createPool, type PostgresOptions } from '../../src/platform/postgres/pool.js';
import { eventually } from './eventually.js';

/** A database of its own for one test file: migrated, empty, dropped at the end. */
export interface TestDatabase {
  readonly name: string;
  /** The role that migrates: owns every table. */
  readonly owner: PostgresOptions;
  /** The role the service runs as. */
  readonly app: PostgresOptions;
  readonly ownerPool: Pool;
  readonly appPool: Pool;
  /** Closes both pools and drops the database. Fails if a connection is still open: a leak. */
  drop(): Promise<void>;
}

const TEMPLATE_PREFIX = 'vr_template_';
const TEST_PREFIX = 'vr_test_';
const TEMPLATE_LOCK = [0x7672, 2] as const;
/** A test database of this age was left behind by a test run that was killed. */
const STALE_MS = 3_600_000;
const TEST_POOL_SIZE = 8;

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: start the services with \`make services-start\``);
  return value;
}

/** The roles of the development services, on any of their databases. */
export function postgresOptions(role: 'owner' | 'app', database = setting('DB_NAME')): PostgresOptions {
  return {
    host: setting('DB_HOST'),
    port: Number(setting('DB_PORT')),
    database,
    user: setting(role === 'owner' ? 'DB_OWNER_USER' : 'DB_USER'),
    password: setting(role === 'owner' ? 'DB_OWNER_PASSWORD' : 'DB_PASSWORD'),
    applicationName: `test-${role}`,
  };
}

/** @param options.migrated false for a database with nothing in it */
export async function createTestDatabase(options: { migrated?: boolean } = {}): Promise<TestDatabase> {
  const name = `${TEST_PREFIX}${Date.now().toString(36)}_${randomBytes(5).toString('hex')}`;
  await asAdmin(async (admin) => {
    if (options.migrated === false) await admin.query(`create database ${name}`);
    else await cloneTemplate(admin, name);
  });
  const owner = postgresOptions('owner', name);
  const app = postgresOptions('app', name);
  const ownerPool = createPool({ ...owner, size: TEST_POOL_SIZE });
  const appPool = createPool({ ...app, size: TEST_POOL_SIZE });
  return {
    name,
    owner,
    app,
    ownerPool,
    appPool,
    drop: async () => {
      await Promise.all([ownerPool.end(), appPool.end()]);
      await dropDatabase(name);
    },
  };
}

async function asAdmin<T>(work: (admin: Client) => Promise<T>): Promise<T> {
  const admin = createClient({ ...postgresOptions('owner'), applicationName: 'test-admin' });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

/** Cloned under the lock, so that no other process removes the template in between. */
async function cloneTemplate(admin: Client, name: string): Promise<void> {
  const template = TEMPLATE_PREFIX + migrationsHash();
  await admin.query('select pg_advisory_lock($1, $2)', [...TEMPLATE_LOCK]);
  await dropStale(admin, template);
  if (!(await exists(admin, template))) await makeTemplate(admin, template);
  await admin.query(`create database ${name} template ${template}`);
}

/** Created under another name and renamed when complete: a killed test run leaves no incomplete template. */
async function makeTemplate(admin: Client, template: string): Promise<void> {
  const unfinished = `${template}_new`;
  await admin.query(`drop database if exists ${unfinished}`);
  await admin.query(`create database ${unfinished}`);
  await migrateUp({ owner: postgresOptions('owner', unfinished), appRole: setting('DB_USER') });
  await admin.query(`alter database ${unfinished} rename to ${template}`);
}

async function exists(admin: Client, database: string): Promise<boolean> {
  return (await admin.query('select from pg_database where datname = $1', [database])).rows.length > 0;
}

/** Drops templates of other migrations, and databases of killed test runs. A database in use stays. */
async function dropStale(admin: Client, template: string): Promise<void> {
  const { rows } = await admin.query<{ datname: string }>(
    `select datname from pg_database where datname ^@ $1 or datname ^@ $2`,
    [TEMPLATE_PREFIX, TEST_PREFIX],
  );
  for (const { datname } of rows) {
    const madeAt = Number.parseInt(datname.slice(TEST_PREFIX.length), 36);
    const stale = datname.startsWith(TEST_PREFIX) ? madeAt < Date.now() - STALE_MS : datname !== template;
    if (stale)
      await ignoreErrors(admin.query(`drop database if exists ${datname}`), 'in use, or dropped by another run');
  }
}

const MIGRATIONS_FOLDER = 'migrations';

function migrationsHash(): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(MIGRATIONS_FOLDER, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!/[.](?:ts|sql)$/.test(file)) continue;
    hash.update(file).update(readFileSync(join(MIGRATIONS_FOLDER, file)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function dropDatabase(name: string): Promise<void> {
  await asAdmin(async (admin) => {
    try {
      await eventually(() => expectNoConnection(admin, name), { timeoutMs: 5_000 });
    } catch (leak) {
      for (const role of ['owner', 'app'] as const) await endConnections(role, name);
      throw leak;
    } finally {
      // Not WITH (FORCE): while autovacuum runs, only a superuser may use it.
      await eventually(() => admin.query(`drop database ${name}`));
    }
  });
}

async function expectNoConnection(admin: Client, name: string): Promise<void> {
  const { rows } = await admin.query<{ application_name: string }>(
    'select application_name from pg_stat_activity where datname = $1 and usename = any($2)',
    [name, [setting('DB_OWNER_USER'), setting('DB_USER')]],
  );
  if (rows.length > 0) throw new Error(`leaked connections: ${rows.map((row) => row.application_name).join(', ')}`);
}

/** A role may end only its own connections. */
async function endConnections(role: 'owner' | 'app', name: string): Promise<void> {
  const client = createClient(postgresOptions(role));
  await client.connect();
  try {
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = $2', [
      name,
      setting(role === 'owner' ? 'DB_OWNER_USER' : 'DB_USER'),
    ]);
  } finally {
    await client.end();
  }
}
