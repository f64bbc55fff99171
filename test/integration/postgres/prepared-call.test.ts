import type { Client } from 'pg';

import { BinaryArray, bytea, uuid } from '../../../src/platform/postgres/binary-array.js';
import { createClient } from '../../../src/platform/postgres/pool.js';
import { callPrepared } from '../../../src/platform/postgres/prepared-call.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const ECHO = { name: 'echo', text: 'select $1::text, $2::bytea[], $3::int + 1, $4::boolean, null' };
const NOTHING = new BinaryArray(bytea, []);

describe('a prepared call', () => {
  let database: TestDatabase;
  let client: Client;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  beforeEach(async () => {
    client = createClient({ ...database.app, pipeline: true });
    await client.connect();
  });

  afterEach(() => client.end());
  afterAll(() => database.drop());

  it.each([
    ['an empty text', ''],
    ['every width of UTF-8', 'aé€😀'],
    ['a large text', '€'.repeat(100_000)],
    ['special characters', '"\\{},\n\u0001'],
  ])('sends and returns %s', async (_what, text) => {
    const row = await callPrepared(client, ECHO, [text, new BinaryArray(bytea, [Buffer.from([0, 255, 7])]), 41, true]);
    expect(row).toEqual([text, '{"\\\\x00ff07"}', '42', 't', null]);
  });

  it('returns to each call in flight its own row, and prepares the statement once', async () => {
    const calls = Array.from({ length: 20 }, (_, index) => callPrepared(client, ECHO, ['x', NOTHING, index, false]));
    const rows = await Promise.all(calls);
    expect(rows.map(([, , sum]) => Number(sum))).toEqual(calls.map((_, index) => index + 1));
    const { rows: prepared } = await client.query('select name from pg_prepared_statements');
    expect(prepared).toEqual([{ name: 'echo' }]);
  });

  it('rejects with the error of the server; the calls before and after it succeed', async () => {
    const before = callPrepared(client, ECHO, ['before', NOTHING, 1, true]);
    const broken = callPrepared(client, { name: 'broken', text: 'select 1 / $1::int' }, [0]);
    const missing = callPrepared(client, { name: 'missing', text: 'select $1::text from nowhere' }, ['x']);
    const after = callPrepared(client, ECHO, ['after', NOTHING, 1, true]);

    await expect(broken).rejects.toMatchObject({ code: '22012' });
    await expect(missing).rejects.toMatchObject({ code: '42P01' });
    expect((await before)[0]).toBe('before');
    expect((await after)[0]).toBe('after');
    const again = callPrepared(client, { name: 'broken', text: 'select 1 / $1::int' }, [1]);
    expect(await again).toEqual(['1']);
  });

  it('rejects a value that cannot be encoded, and the connection stays usable', async () => {
    const invalid = new BinaryArray(uuid, ['not a UUID']);
    await expect(callPrepared(client, { name: 'ids', text: 'select $1::uuid[]' }, [invalid])).rejects.toThrow('UUID');
    expect(await callPrepared(client, ECHO, ['on', NOTHING, 1, true])).toHaveLength(5);
  });

  it('rejects if the connection breaks', async () => {
    client.on('error', () => undefined);
    const { processID } = client as unknown as { processID: number };
    const call = callPrepared(client, { name: 'sleep', text: 'select pg_sleep($1)' }, [60]);
    const ended = database.appPool.query('select pg_terminate_backend($1, 30000)', [processID]);
    await expect(call).rejects.toMatchObject({ code: '57P01' });
    await ended;
  });
});
