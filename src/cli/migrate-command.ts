import { Command } from 'commander';

import { postgresOptions } from '../composition/postgres-options.js';
import { loadConfig } from '../config/load-config.js';
import { migrateDown, type MigratorOptions, migrateUp, pendingMigrations } from '../platform/postgres/migrator.js';
import { print } from './output.js';

function migratorOptions(): MigratorOptions {
  const config = loadConfig();
  const owner = {
    ...postgresOptions(config, 'migrate'),
    user: config.DB_OWNER_USER,
    password: config.DB_OWNER_PASSWORD,
  };
  return { owner, appRole: config.DB_USER };
}

async function report(done: string, names: Promise<string[]>): Promise<void> {
  const found = await names;
  print(found.length === 0 ? `nothing ${done}` : found.map((name) => `${done}: ${name}`).join('\n'));
}

export function migrateCommand(): Command {
  const migrate = new Command('migrate');
  migrate
    .command('up')
    .description('apply all pending migrations')
    .action(() => report('applied', migrateUp(migratorOptions())));
  migrate
    .command('down')
    .description('revert the newest migration')
    .action(() => report('reverted', migrateDown(migratorOptions())));
  migrate
    .command('status')
    .description('list pending migrations')
    .action(() => report('pending', pendingMigrations(migratorOptions())));
  return migrate;
}
