import type { Client } from 'pg';

import { listenStatement } from '../../../src/platform/event-store/append-channel.js';
import { OtherListeners } from '../../../src/platform/event-store/other-listeners.js';
import { createClient, createPool } from '../../../src/platform/postgres/pool.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';

const ANOTHER_PROCESS = 1;

describe('other listeners', () => {
  let database: TestDatabase;
  const sessions: Client[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterEach(async () => {
    for (const session of sessions.splice(0)) await session.end();
  });

  afterAll(() => database.drop());

  const session = async (...key: number[]): Promise<Client> => {
    const client = createClient(database.app);
    await client.connect();
    await client.query(listenStatement(...key));
    sessions.push(client);
    return client;
  };

  it('are there until it is known that they are not', async () => {
    const others = new OtherListeners(database.appPool);
    expect(others.listen()).toBe(true);
    await others.idle();
    expect(others.listen()).toBe(false);
  });

  it('are not this process itself', async () => {
    await session();
    const others = new OtherListeners(database.appPool);
    others.listen();
    await others.idle();
    expect(others.listen()).toBe(false);
  });

  it('are seen when they come, and when they go', async () => {
    const others = new OtherListeners(database.appPool);
    await session(ANOTHER_PROCESS);
    others.listen();
    await others.idle();
    expect(others.listen()).toBe(true);

    await sessions.pop()?.end();
    await eventually(() => expect(others.listen()).toBe(false));

    await session(ANOTHER_PROCESS);
    await eventually(() => expect(others.listen()).toBe(true));
  });

  it('are there where Postgres does not say', async () => {
    const pool = createPool(database.app);
    const others = new OtherListeners(pool);
    others.listen();
    await others.idle();
    expect(others.listen()).toBe(false);

    await pool.end();
    await eventually(() => expect(others.listen()).toBe(true));
  });
});
