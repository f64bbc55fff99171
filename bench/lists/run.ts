/**
 * Question: does a page by cursor cost the same at any depth?
 * Page 1,000 against page 1 of a million tasks, and of a million executions, of one owner: medians of many interleaved
 * reads, for each sort field by the query handler, and for the creation time over HTTP.
 * Run: npm run bench -- lists   (ROWS=1000000 ROUNDS=200 by default)
 */
import { availableParallelism, loadavg } from 'node:os';

import type { Pool } from 'pg';

import type { ListQuery, Page } from '../../src/http/listing/list-query.js';
import { PLANS_BY_INDEX } from '../../src/platform/postgres/plans-by-index.js';
import { createPool } from '../../src/platform/postgres/pool.js';
import { EXECUTION_SORT_FIELDS } from '../../src/tasks/api/execution-schemas.js';
import { TASK_SORT_FIELDS } from '../../src/tasks/api/task-schemas.js';
import { ListExecutions, ListExecutionsHandler } from '../../src/tasks/queries/execution-queries.js';
import { ListTasks, ListTasksHandler } from '../../src/tasks/queries/task-queries.js';
import { ApiClient } from '../../test/support/api-client.js';
import { startTestService } from '../../test/support/service.js';
import { median, timed } from '../figures.js';
import { fillMillions } from './rows.js';

const ROWS = Number(process.env.ROWS ?? 1_000_000);
const ROUNDS = Number(process.env.ROUNDS ?? 200);
const PAGE = 1_000;
const LIMIT = 20;
const RATIO_MAX = 1.5;

type ReadPage = (cursor: string) => Promise<string | null>;

/** @returns the cursor of a page, reached page by page */
async function cursorOf(page: number, read: ReadPage): Promise<string> {
  let cursor: string | null = '';
  for (let number = 1; number < page && cursor !== null; number += 1) cursor = await read(cursor);
  if (cursor === null) throw new Error(`there is no page ${page}`);
  return cursor;
}

/** @returns whether the target is met */
async function compare(name: string, read: ReadPage, deep: string): Promise<boolean> {
  const times = { first: [] as number[], deep: [] as number[] };
  for (let round = -ROUNDS / 4; round < ROUNDS; round += 1) {
    const first = await timed(() => read(''));
    const other = await timed(() => read(deep));
    // Negative rounds are the warm-up.
    if (round < 0) continue;
    times.first.push(first);
    times.deep.push(other);
  }
  const [first, other] = [median(times.first), median(times.deep)];
  const met = other / first <= RATIO_MAX;
  const cells = [first.toFixed(2).padStart(8), other.toFixed(2).padStart(10), (other / first).toFixed(2).padStart(7)];
  console.log(name.padEnd(28), cells.join(' '), `(<= ${RATIO_MAX}) ${met ? 'met' : 'MISSED'}`);
  return met;
}

const byHandler =
  (list: (query: ListQuery) => Promise<Page<unknown>>, sort_field: string): ReadPage =>
  async (cursor) => {
    const result = await list({ limit: LIMIT, cursor, sort_field, sort_order: 'desc' });
    return result.by === 'cursor' ? result.page.nextCursor : null;
  };

const overHttp =
  (client: ApiClient, path: string): ReadPage =>
  async (cursor) => {
    const query = `limit=${LIMIT}&cursor=${encodeURIComponent(cursor)}`;
    const response = await client.ok<{ pagination: { next_cursor: string | null } }>('GET', `${path}?${query}`);
    return response.pagination.next_cursor;
  };

const service = await startTestService({ VOIDRUNNER_ROLES: 'api,relay,projector' });
let pool: Pool | undefined;
try {
  const client = await ApiClient.register(() => service.url);
  const owner = client.user.id;
  const scriptOf = await client.createTask({ script_type: 'bash', script_content: 'true' });
  const seconds = (await timed(() => fillMillions(service.database.owner, owner, scriptOf.id, ROWS))) / 1_000;
  const load = loadavg()[0]?.toFixed(1);
  console.log(`${ROWS} rows each, created in ${seconds.toFixed(0)} s; ${availableParallelism()} cores, load ${load}`);
  console.log(
    `ms per page of ${LIMIT} by cursor, medians of ${ROUNDS}\n${' '.repeat(29)}  page 1 page ${PAGE}   ratio`,
  );

  pool = createPool({ ...service.database.app, settings: PLANS_BY_INDEX });
  const tasks = new ListTasksHandler(pool);
  const executions = new ListExecutionsHandler(pool);
  const lists: (readonly [name: string, read: ReadPage])[] = [
    ...TASK_SORT_FIELDS.map(
      (field) =>
        [`tasks by ${field}`, byHandler((query) => tasks.execute(new ListTasks(owner, query)), field)] as const,
    ),
    ...EXECUTION_SORT_FIELDS.map(
      (field) =>
        [
          `executions by ${field}`,
          byHandler((query) => executions.execute(new ListExecutions(owner, {}, query)), field),
        ] as const,
    ),
  ];
  const met: boolean[] = [];
  const cursors = new Map<string, string>();
  for (const [name, read] of lists) {
    cursors.set(name, await cursorOf(PAGE, read));
    met.push(await compare(name, read, cursors.get(name)!));
  }
  // HTTP uses the handlers' cursors: the order is the same.
  for (const name of ['tasks', 'executions']) {
    met.push(await compare(`GET /${name}`, overHttp(client, `/${name}`), cursors.get(`${name} by created_at`)!));
  }
  process.exitCode = met.every(Boolean) ? 0 : 1;
} finally {
  await pool?.end();
  await service.close();
}
