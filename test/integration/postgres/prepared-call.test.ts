import type { Client } from 'pg';

import { createClient } from '../../../src/platform/postgres/pool.js';
import { callPrepared } from '../../../src/platform/postgres/prepared-call.js';
import { binaryValue } from '../../support/binary-value.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const ECHO = { name: 'echo', text: 'select $1::text, $2::bytea, $3::int + 1, $4::boolean, null' };
const NOTHING = binaryValue(Buffer.of());

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
    ['nothing', ''],
    ['every width of UTF-8', 'aé€😀'],
    ['more than fits the scratch', '€'.repeat(100_000)],
  ])('sends and returns %s', async (_what, text) => {
    const row = await callPrepared(client, ECHO, [text, binaryValue(Buffer.from([0, 255, 7])), 41, true]);
    expect(row).toEqual([text, '\\x00ff07', '42', 't', null]);
  });

  it('returns its own row to each of several calls in flight, and is prepared once', async () => {
    const calls = Array.from({ length: 20 }, (_, index) => callPrepared(client, ECHO, ['x', NOTHING, index, false]));
    const rows = await Promise.all(calls);
    expect(rows.map(([, , sum]) => Number(sum))).toEqual(calls.map((_, index) => index + 1));
    const { rows: prepared } = await client.query('select name from pg_prepared_statements');
    expect(prepared).toEqual([{ name: 'echo' }]);
  });

  it('rejects with the server’s error, without affecting other calls', async () => {
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

  it('rejects values that cannot be sent, and the connection continues', async () => {
    const tooMany = Array.from({ length: 2 ** 16 }, () => 'x');
    await expect(callPrepared(client, { name: 'many', text: 'select 1' }, tooMany)).rejects.toThrow('out of range');
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
