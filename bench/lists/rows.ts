import type { Client } from 'pg';

import { createClient, type PostgresOptions } from '../../src/platform/postgres/pool.js';

/**
 * Writes that many tasks and executions of one owner directly to the read models: through the log it would take an
 * hour. Rows are as large as real ones; the tasks are copies of an existing task, so that their scripts can be read.
 */
export async function fillMillions(
  owner: PostgresOptions,
  ownerId: string,
  taskId: string,
  count: number,
): Promise<void> {
  // Both statements take longer than the service's statement timeout.
  const client = createClient({ ...owner, statementTimeoutMs: 0 });
  await client.connect();
  try {
    await fillTasks(client, taskId, count);
    await fillExecutions(client, ownerId, taskId, count);
  } finally {
    await client.end();
  }
}

const fillTasks = (client: Client, taskId: string, count: number): Promise<void> =>
  withoutIndexes(
    client,
    'read.tasks',
    `insert into read.tasks
     select ${ID}, owner_id, 'task ' || md5(n::text), script_type, n % 11, status, definition, definition_version,
       active_runs, created_at - n * interval '1 second',
       updated_at - (n::bigint * 7919 % ${count}) * interval '1 second', version
     from read.tasks, generate_series(1, ${count}) as n where id = '${taskId}'`,
  );

const fillExecutions = (client: Client, ownerId: string, taskId: string, count: number): Promise<void> =>
  withoutIndexes(
    client,
    'read.executions',
    `insert into read.executions (id, task_id, owner_id, status, executor, script_type, attempt, return_code,
       termination_reason, execution_time_ms, created_at, dead_lettered, dead_letter_discarded, trace_id, version)
     select ${ID}, '${taskId}', '${ownerId}', 'completed', 'embedded', 'bash', 1, 0, 'exit_code', 812,
       now() - n * interval '1 second', false, false, md5(n::text), 4
     from generate_series(1, ${count}) as n`,
  );

/** Like the service's ids: ascending, the newest last. */
const ID = `('018f' || lpad(to_hex(n), 8, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid`;

/** Also unlogged: a million rows are inserted in a quarter of the time, and reads are the same. */
async function withoutIndexes(client: Client, table: string, insert: string): Promise<void> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
     from pg_index where indrelid = '${table}'::regclass and not indisprimary`,
  );
  await client.query(`alter table ${table} set unlogged`);
  await client.query(`drop index ${rows.map(({ name }) => name).join(', ')}`);
  await client.query(insert);
  for (const { definition } of rows) await client.query(definition);
  await client.query(`vacuum (analyze) ${table}`);
}
