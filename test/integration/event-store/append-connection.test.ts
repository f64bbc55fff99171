import { AppendConnection } from '../../../src/event-sourcing/event-store/append-connection.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const SLEEP = { name: 'sleep', text: 'select pg_sleep($1)' };
const ONE = { name: 'one', text: 'select $1::int' };

describe('the append connection', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('abandons a server that does not respond in time, and continues with another connection', async () => {
    let lost = 0;
    const options = { ...database.app, responseTimeoutMs: 200, statementTimeoutMs: 1_000 };
    const connection = new AppendConnection(options, () => (lost += 1));
    const calls = [connection.call(SLEEP, [60]), connection.call(ONE, [1]), connection.call(ONE, [2])];

    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'Query read timeout' } });
    }
    expect(lost).toBeGreaterThan(0);
    expect(await connection.call(ONE, [3])).toEqual(['3']);

    await connection.close();
  });

  it('waits for calls in flight before it closes, and then accepts no more', async () => {
    const connection = new AppendConnection(database.app, () => undefined);
    const call = connection.call(ONE, [1]);
    await connection.close();
    expect(await call).toEqual(['1']);
    await expect(connection.call(ONE, [2])).rejects.toThrow('Client was closed');
  });
});
