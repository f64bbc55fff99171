import { PostgresEventStore } from '../../../src/event-sourcing/event-store/postgres-event-store.js';
import { checkChain } from '../../../src/operations/audit/check-chain.js';
import { migrateDown, migrateUp } from '../../../src/platform/postgres/migrator.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { newStream, sampleCatalog, sampleMetadata, write } from '../../support/sample-events.js';

let database: TestDatabase;
let store: PostgresEventStore;

beforeAll(async () => {
  database = await createTestDatabase();
  const { app: postgres, appPool: pool } = database;
  store = new PostgresEventStore({ postgres, pool, catalog: sampleCatalog, log: silentLog });
  // Single appends (1–3), three events in two streams at once (4–8), many callers at once (9–38), a single one again
  // (39).
  for (let i = 0; i < 3; i += 1) await store.append([write(newStream(), 0, 1)], sampleMetadata);
  await store.append([write(newStream(), 0, 1, 2, 3), write(newStream(), 0, 1, 2)], sampleMetadata);
  await Promise.all(Array.from({ length: 30 }, () => store.append([write(newStream(), 0, 1)], sampleMetadata)));
  await store.append([write(newStream(), 0, 1)], sampleMetadata);
});

afterAll(async () => {
  await store.close();
  await database.drop();
});

const HEAD = 39n;
const check = (expected?: { position: bigint; hash: string }, head = HEAD) =>
  checkChain(database.appPool, head, expected);

/** As the owner can do, past the triggers; undone afterwards. */
async function tampered(sql: string, look: () => Promise<void>): Promise<void> {
  const client = await database.ownerPool.connect();
  try {
    await client.query('create table es.kept as select * from es.events');
    await client.query('alter table es.events disable trigger all');
    await client.query(sql);
    await look();
  } finally {
    await client.query('truncate es.events');
    await client.query('insert into es.events select * from es.kept');
    await client.query('drop table es.kept');
    await client.query('alter table es.events enable always trigger append_only');
    client.release();
  }
}

const faultsAfter = async (
  sql: string,
  expected?: { position: bigint; hash: string },
  head = HEAD,
): Promise<readonly string[]> => {
  let faults: readonly string[] = [];
  await tampered(sql, async () => {
    const { report, head: found } = await check(expected, head);
    faults = report.faults;
    if (!expected) expect(found).toBeNull();
  });
  return faults;
};

test('an unmodified log is valid, whichever way it was appended', async () => {
  const { report, head } = await check();
  expect(report).toMatchObject({ faultCount: 0, examined: '39 events' });
  expect(head).toEqual({ position: HEAD, hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
  expect((await check(head!)).report.faults).toEqual([]);
});

test('an empty log is valid', async () => {
  expect(await check(undefined, 0n)).toMatchObject({ head: null, report: { faultCount: 0 } });
});

test.each([
  ['the actor', `metadata = jsonb_set(metadata, '{actor}', '"user:00000000-0000-7000-8000-000000000000"')`],
  ['a new member of the metadata', `metadata = metadata || '{"worker": "another"}'`],
  ['the data', `data = data || '{"forged": true}'`],
  ['the time', `recorded_at = recorded_at + interval '1 millisecond'`],
  ['the type', `type = 'Another'`],
  ['the stream', 'stream_id = gen_random_uuid()'],
  ['the type of the stream', `stream_type = 'user'`],
  ['the id', 'event_id = gen_random_uuid()'],
  ['the version', 'version = version + 7'],
  ['the version of the schema', 'schema_version = schema_version + 1'],
  ['the hash', `chain = sha256('')`],
])('a change of %s of an old event is detected', async (_what, change) => {
  const [first] = await faultsAfter(`update es.events set ${change} where position = 2`);
  expect(first).toMatch(/^position 2 was changed/);
});

test('a change within an append of several events names them', async () => {
  const faults = await faultsAfter(`update es.events set data = '{"forged": true}' where position = 5`);
  expect(faults).toEqual([expect.stringMatching(/^positions 4 to 8, one append, were changed/)]);
});

test('moving text from one column to the next is a change', async () => {
  const sql = `update es.events set stream_type = stream_type || E'\\n' || type, type = '' where position = 2`;
  expect((await faultsAfter(sql))[0]).toMatch(/^position 2 was changed/);
});

test('an event that was removed, or inserted without es.append, is detected', async () => {
  expect((await faultsAfter('delete from es.events where position = 2'))[0]).toMatch(/^position 3 was changed, or/);
  const inserted = `insert into es.events values
    (40, 'task', gen_random_uuid(), 1, gen_random_uuid(), 'TaskCreated', 1, '{}', '{}', now())`;
  await tampered(inserted, async () => {
    expect((await check(undefined, 40n)).report.faults).toEqual(['position 40 without a hash']);
  });
});

test('a log without hashes is not read into memory as one append', async () => {
  const faults = await faultsAfter(
    `
    update es.events set chain = null;
    insert into es.events
      select 39 + n, 'task', gen_random_uuid(), 1, gen_random_uuid(), 'TaskCreated', 1, '{}', '{}', now()
      from generate_series(1, 1500) n`,
    undefined,
    1539n,
  );
  expect(faults).toEqual([
    'positions 1 to 1000, one append, without a hash',
    'positions 1001 to 1539, one append, without a hash',
  ]);
});

describe('an attacker who recomputes all later hashes, or cuts off the end,', () => {
  const CUT = 'delete from es.events where position > 38';

  test('is detected with a head that was kept elsewhere', async () => {
    const { head } = await check();
    await tampered(CUT, async () => {
      const { report } = await check(head!, 38n);
      expect(report.faults).toEqual(['the log ends at 38, before the expected head at position 39']);
    });
    const rewritten = `update es.events set chain = sha256('forged') where position = ${HEAD}`;
    expect(await faultsAfter(rewritten, head!)).toContainEqual(
      `position ${HEAD} or an earlier one does not match the expected head`,
    );
  });

  test('is not detected without one', async () => {
    await tampered(CUT, async () => {
      expect((await check(undefined, 38n)).report.faults).toEqual([]);
    });
  });

  test('a head within an append is invalid', async () => {
    const { report } = await check({ position: 5n, hash: '0'.repeat(64) });
    expect(report.faults).toEqual(['position 5, the expected head, is not the end of an append']);
  });
});

test('the migration chains existing events, and later appends continue the chain', async () => {
  const old = await createTestDatabase();
  const migrator = { owner: old.owner, appRole: old.app.user };
  const isChained = async (): Promise<boolean> =>
    (await old.ownerPool.query(`select from pg_attribute where attrelid = 'es.events'::regclass and attname = 'chain'`))
      .rowCount === 1;
  try {
    while (await isChained()) expect(await migrateDown(migrator)).toHaveLength(1);
    for (let i = 0; i < 3; i += 1) {
      await old.appPool.query(`select es.append_event(true, 'task', gen_random_uuid(), 1, gen_random_uuid(), 'Noted',
        2::smallint, '{"note": "über"}', '{"actor": "system:test"}')`);
    }
    await migrateUp(migrator);
    const { app: postgres, appPool: pool } = old;
    const later = new PostgresEventStore({ postgres, pool, catalog: sampleCatalog, log: silentLog });
    await later.append([write(newStream(), 0, 1, 2)], sampleMetadata).finally(() => later.close());
    const { report, head } = await checkChain(pool, 5n);
    expect([report.faults, head?.position]).toEqual([[], 5n]);
    const { rows } = await old.ownerPool.query<{ tgenabled: string }>(
      `select tgenabled from pg_trigger where tgname = 'append_only'`,
    );
    expect(rows).toEqual([{ tgenabled: 'A' }]);
  } finally {
    await old.drop();
  }
});
