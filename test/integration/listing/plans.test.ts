import type { Pool } from 'pg';

import { encodeCursor } from '../../../src/http/listing/cursor.js';
import { type ListQuery, readPage } from '../../../src/http/listing/list-query.js';
import { PLANS_BY_INDEX } from '../../../src/platform/postgres/plans-by-index.js';
import { createPool } from '../../../src/platform/postgres/pool.js';
import { EXECUTION_SORT_FIELDS } from '../../../src/tasks/api/execution-schemas.js';
import { TASK_SORT_FIELDS } from '../../../src/tasks/api/task-schemas.js';
import { STATUSES } from '../../../src/tasks/domain/execution-shape.js';
import {
  type ExecutionFilter,
  ListExecutions,
  ListExecutionsHandler,
} from '../../../src/tasks/queries/execution-queries.js';
import { ListTasks, ListTasksHandler } from '../../../src/tasks/queries/task-queries.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { SCRIPT_TYPES } from '../../support/declared-runtimes.js';
import { fillExecutions, fillTasks, OWNERS, TASKS } from './list-rows.js';

/** The default and the largest page size: the cost of a plan depends on where it may stop. */
const LIMITS = [20, 100] as const;

let db: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  db = await createTestDatabase();
  await fillTasks(db.ownerPool);
  await fillExecutions(db.ownerPool);
  // After both: an open transaction would keep pages from being marked all-visible, as they are in production.
  await db.ownerPool.query('vacuum (analyze) read.tasks, read.executions');
  pool = createPool({ ...db.app, settings: PLANS_BY_INDEX });
});
afterAll(async () => {
  await pool.end();
  await db.drop();
});

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Plan Rows': number;
  readonly Filter?: string;
  readonly Plans?: readonly PlanNode[];
}

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

type Read = (pool: Pool) => Promise<unknown>;

/** The queries of a list; the pool tells it that there are no rows. */
async function statementsOf(read: Read): Promise<Statement[]> {
  const statements: Statement[] = [];
  const query = async (text: string, values: readonly unknown[]) => {
    statements.push({ text, values });
    return { rows: isCount(text) ? [{ total: 0 }] : [] };
  };
  await read({ query } as unknown as Pool);
  return statements;
}

const isCount = (text: string): boolean => text.includes('count(*)');

/** With the values as parameters, as the list sends them. */
async function planOf({ text, values }: Statement): Promise<PlanNode> {
  const explain = `explain (format json) ${text}`;
  const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(explain, [...values]);
  return rows[0]!['QUERY PLAN'][0].Plan;
}

const nodesOf = (plan: PlanNode): PlanNode[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

const typesOf = (nodes: readonly PlanNode[]): string => nodes.map((node) => node['Node Type']).join(' > ');

/** In the list's order; or sorted after the index, if it finds about as many rows as requested. */
function isIndexed(nodes: readonly PlanNode[], { values }: Statement): boolean {
  const types = typesOf(nodes);
  if (types === 'Limit > Index Scan' || types === 'Limit > Index Only Scan') return true;
  const { 'Plan Rows': expected, Filter: filter } = nodes.at(-1)!;
  // Limit and offset are the only numbers.
  const asked = values.filter((value) => typeof value === 'number').reduce((sum, value) => sum + value, 0);
  return types === 'Limit > Sort > Index Scan' && expected <= 2 * asked && filter === undefined;
}

/** @returns the plans that read more than an index, each with its query */
async function faultsOf(read: Read): Promise<string[]> {
  const faults: string[] = [];
  for (const statement of await statementsOf(read)) {
    const nodes = nodesOf(await planOf(statement));
    const isRight = isCount(statement.text) ? !typesOf(nodes).includes('Seq Scan') : isIndexed(nodes, statement);
    if (!isRight) faults.push(`${typesOf(nodes)}: ${statement.text} ${JSON.stringify(statement.values)}`);
  }
  return faults;
}

async function allFaultsOf(reads: readonly Read[]): Promise<string[]> {
  const faults: string[] = [];
  for (const read of reads) faults.push(...(await faultsOf(read)));
  return faults;
}

const FILTERS = [undefined, ...STATUSES].flatMap((status) =>
  [undefined, ...SCRIPT_TYPES].map((script_type) => ({ status, script_type })),
);

/** By offset from the first page, and by cursor in both directions from the middle: in both orders, by each field. */
async function queriesOf(rowsOfList: string, sortFields: readonly string[]): Promise<ListQuery[]> {
  const queries: ListQuery[] = [];
  for (const sortField of sortFields) {
    const { rows } = await db.appPool.query<{ value: string; id: string }>(
      `select ${sortField}::text as value, id from ${rowsOfList} order by ${sortField}, id
       offset (select count(*) / 2 from ${rowsOfList}) limit 1`,
    );
    for (const sortOrder of ['asc', 'desc'] as const) {
      const cursor = (direction: 'next' | 'prev') => encodeCursor({ direction, sortField, sortOrder, ...rows[0]! });
      const starts = [{ offset: 40 }, { cursor: '' }, { cursor: cursor('next') }, { cursor: cursor('prev') }];
      const query = { sort_field: sortField, sort_order: sortOrder };
      for (const limit of LIMITS) queries.push(...starts.map((start) => ({ ...query, limit, ...start })));
    }
  }
  return queries;
}

const executions =
  (ownerId: string | undefined, filter: ExecutionFilter, query: ListQuery): Read =>
  (pool) =>
    new ListExecutionsHandler(pool).execute(new ListExecutions(ownerId, filter, query));

describe.each(['most', 'some', 'few'] as const)('with %s of the rows, an index serves', (share) => {
  const ownerId = OWNERS[share];
  const ofOwner = `read.executions where owner_id = '${ownerId}'`;

  test('the tasks of an owner', async () => {
    const queries = await queriesOf(`read.tasks where owner_id = '${ownerId}'`, TASK_SORT_FIELDS);
    const tasks =
      (query: ConstructorParameters<typeof ListTasks>[1]): Read =>
      (pool) =>
        new ListTasksHandler(pool).execute(new ListTasks(ownerId, query));
    const reads = queries.flatMap((query) => FILTERS.map((filter) => tasks({ ...query, ...filter })));
    expect(await allFaultsOf(reads)).toEqual([]);
  });

  test('the executions of an owner', async () => {
    const queries = await queriesOf(ofOwner, EXECUTION_SORT_FIELDS);
    const reads = queries.flatMap((query) => FILTERS.map((filter) => executions(ownerId, filter, query)));
    expect(await allFaultsOf(reads)).toEqual([]);
  });

  test('the executions of a task', async () => {
    const taskId = TASKS[share];
    const queries = await queriesOf(`read.executions where task_id = '${taskId}'`, EXECUTION_SORT_FIELDS);
    const reads = queries.flatMap((query) =>
      FILTERS.map((filter) => executions(OWNERS.most, { taskId, ...filter }, query)),
    );
    expect(await allFaultsOf(reads)).toEqual([]);
  });

  test('the dead letters of an owner', async () => {
    const queries = await queriesOf(ofOwner, EXECUTION_SORT_FIELDS);
    expect(await allFaultsOf(queries.map((query) => executions(ownerId, { deadLetters: true }, query)))).toEqual([]);
  });
});

test('an index serves the dead letters of everyone', async () => {
  const queries = await queriesOf('read.executions', EXECUTION_SORT_FIELDS);
  expect(await allFaultsOf(queries.map((query) => executions(undefined, { deadLetters: true }, query)))).toEqual([]);
});

describe('the check reports', () => {
  const query = { limit: 20, sort_field: 'created_at', sort_order: 'desc' } as const;
  const listing = (where: Record<string, string>, sort_field: string) => (pool: Pool) =>
    readPage(pool, { table: 'read.executions', where }, { ...query, sort_field });

  test('a page and a count that read the whole table', async () => {
    const faults = await faultsOf(listing({ trace_id: 'a' }, 'created_at'));
    expect(faults).toEqual([expect.stringContaining('Seq Scan'), expect.stringContaining('Seq Scan')]);
  });

  test('a page that sorts all rows of an owner', async () => {
    expect(await faultsOf(listing({ owner_id: OWNERS.most }, 'version'))).toEqual([expect.stringContaining('Sort')]);
  });

  test('a page that sorts or filters rows after the index', async () => {
    const faults = await faultsOf(listing({ owner_id: OWNERS.some, trace_id: 'a' }, 'version'));
    expect(faults[0]).toContain('Sort');
  });
});
