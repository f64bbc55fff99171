import type { Pool } from 'pg';

import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const INSUFFICIENT_PRIVILEGE = '42501';

const INSERT = `
  insert into es.events values (1, 'task', gen_random_uuid(), 1, gen_random_uuid(), 'TaskCreated', 1, '{}', '{}', now())`;

describe('the log', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    await database.ownerPool.query(INSERT);
    await database.ownerPool.query(
      `insert into es.payloads values (gen_random_uuid(), gen_random_uuid(), 'script', '\\x00', 1, 'sha')`,
    );
  });

  afterAll(() => database.drop());

  const refused = (pool: Pool, sql: string) =>
    expect(pool.query(sql)).rejects.toMatchObject({ code: INSUFFICIENT_PRIVILEGE });

  const changes = [
    `update es.events set data = '{"forged": true}'`,
    'update es.events set position = 7 where false',
    'delete from es.events',
    'delete from es.events where false',
    'truncate es.events',
    'truncate es.events cascade',
    `update es.payloads set ciphertext = ''`,
    'truncate es.payloads',
  ];

  it.each(changes)('refuses the owner: %s', (sql) => refused(database.ownerPool, sql));

  it.each([
    ...changes,
    'delete from es.payloads',
    'delete from es.data_keys',
    'update es.log set epoch = 2',
    'update es.head set epoch = 2',
    INSERT.replace('(1,', '(1000,'),
    'drop table es.events cascade',
    'alter table es.events disable trigger all',
    'create table es.mine (id int)',
  ])('refuses the application: %s', (sql) => refused(database.appPool, sql));

  it('refuses the owner in the replica role', async () => {
    // Only the superuser may set what switches ordinary triggers off; if that was granted, ours still fires.
    const { rows } = await database.ownerPool.query<{ tgenabled: string }>(
      `select tgenabled from pg_trigger where tgrelid in ('es.events'::regclass, 'es.payloads'::regclass)`,
    );
    expect(rows.map((row) => row.tgenabled)).toEqual(['A', 'A']);
  });

  it('is unchanged afterwards', async () => {
    const { rows } = await database.appPool.query('select position, data from es.events');
    expect(rows).toEqual([{ position: 1n, data: {} }]);
  });
});
