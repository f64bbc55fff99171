import { Command, Option } from 'commander';

import { ORCHESTRATOR, postgresOptions, PROJECTOR, WEBHOOKS } from '../composition/postgres-options.js';
import { orchestratorProjections, projectorProjections, webhooksProjections } from '../composition/projections.js';
import { ProjectionRebuild, type RebuildResult } from '../event-sourcing/projection/projection-rebuild.js';
import { createPool } from '../platform/postgres/pool.js';
import { type CliContext, withLog } from './cli-context.js';
import { print } from './output.js';

const SUBSCRIPTIONS = {
  [PROJECTOR]: projectorProjections,
  [ORCHESTRATOR]: orchestratorProjections,
  [WEBHOOKS]: webhooksProjections,
} as const;
type Name = keyof typeof SUBSCRIPTIONS;

export const rebuildCommand = (): Command =>
  new Command('rebuild')
    .addOption(
      new Option('--subscription <name>', 'the owner of the tables')
        .choices(Object.keys(SUBSCRIPTIONS))
        .default(PROJECTOR),
    )
    .action(({ subscription }: { subscription: Name }) => withLog((context) => rebuild(context, subscription)));

async function rebuild({ config, store, catalog, log }: CliContext, subscription: Name): Promise<void> {
  const projections = SUBSCRIPTIONS[subscription];
  const owner = { user: config.DB_OWNER_USER, password: config.DB_OWNER_PASSWORD };
  // One connection holds the lock, and one per table fills it.
  const pool = createPool({ ...postgresOptions(config, 'rebuild'), ...owner, size: projections.length + 1 });
  try {
    const work = new ProjectionRebuild({ pool, events: store, catalog, projections, subscription, log });
    print(textOf(await work.rebuild()));
  } finally {
    await pool.end();
  }
}

function textOf({ events, elapsedMs, position, tables }: RebuildResult): string {
  const rate = Math.round(events / (elapsedMs / 1_000));
  return [
    `${events} events up to position ${position} in ${Math.round(elapsedMs)} ms (${rate}/s)`,
    ...tables.map(({ table, rebuilt, differing }) => `read.${table}: ${rebuilt} rows, ${differing} differed`),
  ].join('\n');
}
