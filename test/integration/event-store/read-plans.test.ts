import type { Pool } from 'pg';

import { EventReader } from '../../../src/event-sourcing/event-store/event-reader.js';
import { PostgresEventStore } from '../../../src/event-sourcing/event-store/postgres-event-store.js';
import { PLANS_BY_INDEX } from '../../../src/platform/postgres/plans-by-index.js';
import { createPool } from '../../../src/platform/postgres/pool.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { newStream, sampleCatalog, sampleMetadata, write } from '../../support/sample-events.js';

/** Postgres keeps the plan of a named statement: it uses the plan made for a small log also when the log is large. */
const settings = { ...PLANS_BY_INDEX, plan_cache_mode: 'force_generic_plan' };
const EVENTS = 20;

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ ...database.app, settings, size: 1 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const stream = newStream();

/** The reader's queries, with the values as literals. */
const READS: [string, string, (reader: EventReader) => Promise<unknown>][] = [
  ['the log', `0, 100`, (reader) => reader.readAllStored(0n, 100)],
  ['a stream', `'${stream.id}', '${stream.type}', 0, 100`, (reader) => reader.readStreamStored(stream, 0, 100)],
  [
    'several streams',
    `'{${stream.id}}', '{${stream.type}}', '{0}', '{100}'`,
    (reader) => Promise.all([reader.readStreamStored(stream, 0, 100), reader.readStreamStored(stream, 0, 100)]),
  ],
];

async function planOf(values: string, read: (reader: EventReader) => Promise<unknown>): Promise<string> {
  let text = '';
  const query = async (statement: { readonly text: string }) => {
    ({ text } = statement);
    return { rows: [] };
  };
  await read(new EventReader({ query } as unknown as Pool));
  await pool.query(`prepare read as ${text}`);
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain execute read (${values})`);
  await pool.query('deallocate read');
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

describe.each(['empty', 'small'])('when the log is %s', (size) => {
  beforeAll(async () => {
    if (size === 'empty') return;
    const { app: postgres, appPool, ownerPool } = database;
    const store = new PostgresEventStore({ postgres, pool: appPool, catalog: sampleCatalog, log: silentLog });
    await store.append([write(stream, 0, ...Array.from({ length: EVENTS }, (_, index) => index))], sampleMetadata);
    await store.close();
    await ownerPool.query('analyze es.events');
  });

  test.each(READS)('%s is read with an index', async (_what, values, read) => {
    const plan = await planOf(values, read);
    expect(plan).toContain('Index Scan');
    expect(plan).not.toContain('Seq Scan');
  });
});
