import type { Client } from 'pg';

import { listenStatement } from '../../../src/event-sourcing/event-store/append-channel.js';
import { OtherListeners } from '../../../src/event-sourcing/event-store/other-listeners.js';
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

  const known = async (others: OtherListeners): Promise<boolean> => {
    others.areListening();
    await others.idle();
    return others.areListening();
  };

  it('are assumed until their absence is known', async () => {
    const others = new OtherListeners(database.appPool);
    expect(others.areListening()).toBe(true);
    await others.idle();
    expect(others.areListening()).toBe(false);
  });

  it('do not include this process itself', async () => {
    await session();
    expect(await known(new OtherListeners(database.appPool))).toBe(false);
  });

  it('are detected while they listen, and not afterwards', async () => {
    await session(ANOTHER_PROCESS);
    expect(await known(new OtherListeners(database.appPool))).toBe(true);

    await sessions.pop()?.end();
    await eventually(async () => expect(await known(new OtherListeners(database.appPool))).toBe(false));
  });

  it('are assumed if the last result is old', async () => {
    const others = new OtherListeners(database.appPool);
    expect(await known(others)).toBe(false);
    await eventually(() => expect(others.areListening()).toBe(true));
  });

  it('are assumed while Postgres does not respond', async () => {
    const pool = createPool(database.app);
    await pool.end();
    expect(await known(new OtherListeners(pool))).toBe(true);
  });
});
