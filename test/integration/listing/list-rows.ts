import type { Pool } from 'pg';

/**
 * Enough rows that a plan matters: most belong to one owner and one task; statuses and languages are distributed as in
 * production, where almost everything is `completed`, little is active, and some states hardly occur.
 */
export const OWNERS = { most: ownerId(0), some: ownerId(1), few: ownerId(7) } as const;
/** The owner with the most rows. */
export const TASKS = { most: taskId(0), some: taskId(2), few: taskId(64) } as const;

const TASKS_COUNT = 40_000;
const RUNS_COUNT = 60_000;

function ownerId(n: number): string {
  return `018f0000-0000-7000-8000-${String(n).padStart(12, '0')}`;
}

function taskId(n: number): string {
  return `018f0000-0000-7000-9000-${String(n).padStart(12, '0')}`;
}

/** 60 % belong to the first owner, 30 % to the second, the rest to 100 others. */
const OWNER = `('018f0000-0000-7000-8000-' || lpad(
  (case when n % 10 < 6 then 0 when n % 10 < 9 then 1 else n / 10 % 100 end)::text, 12, '0'))::uuid`;
/** Half of an owner's executions belong to one task; the rest to hundreds, some of which have only a few. */
const TASK = `('018f0000-0000-7000-9000-' || lpad(
  (n % 10 + case when n % 20 < 10 then 0 when n % 40 < 30 then 2 else 10 * (n / 40 % 500) end)::text, 12, '0'))::uuid`;
const SCRIPT_TYPE = `case when n % 701 = 0 then 'go' when n % 3 = 0 then 'bash' else 'python' end`;
const STATUS = `case when n % 3001 = 0 then 'running' when n % 1009 = 0 then 'cancelled' when n % 211 = 0 then 'timeout'
  when n % 17 = 0 then 'failed' else 'completed' end`;
const AT = `'2026-01-01'::timestamptz + n * interval '7 seconds'`;
const ID = `('018f' || lpad(to_hex(n), 8, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid`;

export async function fillTasks(pool: Pool, count = TASKS_COUNT): Promise<void> {
  await pool.query(`
    insert into read.tasks (id, owner_id, name, script_type, priority, status, definition, definition_version,
      active_runs, created_at, updated_at, version)
    select ${ID}, ${OWNER}, 'task ' || md5(n::text), ${SCRIPT_TYPE}, n % 11, ${STATUS},
      jsonb_build_object('name', md5(n::text), 'description', repeat('x', 400)), 1, 0, ${AT},
      ${AT} + (n % 1000) * interval '1 minute', 1
    from generate_series(1, ${count}) as n`);
}

export async function fillExecutions(pool: Pool, count = RUNS_COUNT): Promise<void> {
  await pool.query(`
    insert into read.executions (id, task_id, owner_id, status, executor, script_type, attempt, created_at,
      dead_lettered, dead_letter_discarded, trace_id, stdout, version)
    select ${ID}, ${TASK}, ${OWNER}, ${STATUS}, 'embedded', ${SCRIPT_TYPE}, 1, ${AT}, n % 340 = 0, n % 680 = 0,
      md5(n::text), jsonb_build_object('bytes_total', n, 'sha256', repeat('a', 64)), 4
    from generate_series(1, ${count}) as n`);
}
