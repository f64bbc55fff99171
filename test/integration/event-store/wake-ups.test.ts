import type { Client } from 'pg';

import { listenStatement } from '../../../src/event-sourcing/event-store/append-channel.js';
import { PostgresEventStore } from '../../../src/event-sourcing/event-store/postgres-event-store.js';
import { afterThisTurn } from '../../../src/platform/async/delay.js';
import { createClient } from '../../../src/platform/postgres/pool.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { newStream, sampleCatalog, sampleMetadata, write } from '../../support/sample-events.js';

const ANOTHER_PROCESS = 1;

describe('after an append', () => {
  let database: TestDatabase;
  let store: PostgresEventStore;
  let listener: Client;
  const notified: bigint[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    store = new PostgresEventStore({
      postgres: database.app,
      pool: database.appPool,
      catalog: sampleCatalog,
      log: silentLog,
    });
    listener = createClient(database.app);
    await listener.connect();
    listener.on('notification', ({ payload }) => notified.push(BigInt(payload ?? 0)));
    await listener.query(listenStatement(ANOTHER_PROCESS));
  });

  afterAll(async () => {
    await store.close();
    await listener.end();
    await database.drop();
  });

  /** Listeners are called after the caller's promise has resolved. */
  const append = async () => {
    const result = await store.append([write(newStream(), 0, 'a')], sampleMetadata);
    await afterThisTurn();
    return result;
  };

  it('other processes are notified of the newest position', async () => {
    const results = await Promise.all(Array.from({ length: 50 }, append));
    const newest = results.map(({ lastPosition }) => lastPosition).reduce((a, b) => (a > b ? a : b));

    await eventually(() => expect(notified.at(-1)).toBe(newest));
    expect(notified.length).toBeLessThan(results.length);
  });

  it('listeners in this process are called with committed events, and may unsubscribe', async () => {
    const told: bigint[] = [];
    const stop = store.onAppended((position) => told.push(position));
    const first = await append();
    await eventually(() => expect(told).toEqual([first.lastPosition]));

    stop();
    await append();

    expect(told).toHaveLength(1);
  });

  it('a listener that throws affects no other', async () => {
    const told: bigint[] = [];
    const stops = [
      store.onAppended(() => {
        throw new Error('not my day');
      }),
      store.onAppended((position) => told.push(position)),
    ];

    const { lastPosition } = await append();

    await eventually(() => expect(told).toEqual([lastPosition]));
    for (const stop of stops) stop();
  });

  it('a refused or repeated append notifies nobody', async () => {
    const stream = newStream();
    const writes = [write(stream, 0, 'a')];
    await store.append(writes, sampleMetadata);
    await afterThisTurn();
    const told: bigint[] = [];
    const stop = store.onAppended((position) => told.push(position));

    await store.append(writes, sampleMetadata);
    await expect(store.append([write(stream, 7, 'b')], sampleMetadata)).rejects.toThrow();
    const { lastPosition } = await append();

    await eventually(() => expect(told).toEqual([lastPosition]));
    stop();
  });
});
