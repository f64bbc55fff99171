import type { Client } from 'pg';

import { afterThisTurn } from '../../../src/platform/async/delay.js';
import { listenStatement } from '../../../src/event-sourcing/event-store/append-channel.js';
import { PostgresEventStore } from '../../../src/event-sourcing/event-store/postgres-event-store.js';
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

  /** Listeners are told after the caller has had its turn. */
  const append = async () => {
    const result = await store.append([write(newStream(), 0, 'a')], sampleMetadata);
    await afterThisTurn();
    return result;
  };

  it('readers of other processes are notified, of the newest position at last', async () => {
    const results = await Promise.all(Array.from({ length: 50 }, append));
    const newest = results.map(({ lastPosition }) => lastPosition).reduce((a, b) => (a > b ? a : b));

    await eventually(() => expect(notified.at(-1)).toBe(newest));
    expect(notified.length).toBeLessThan(results.length);
  });

  it('readers of this process are told what is committed, and may stop listening', async () => {
    const told: bigint[] = [];
    const stop = store.onAppended((position) => told.push(position));
    const first = await append();
    await eventually(() => expect(told).toEqual([first.lastPosition]));

    stop();
    await append();

    expect(told).toHaveLength(1);
  });

  it('a listener that fails harms nobody', async () => {
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

  it('a refused one, or a repeat, wakes nobody', async () => {
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
