import { PostgresEventStore } from '../../../src/event-sourcing/event-store/postgres-event-store.js';
import { Unavailable } from '../../../src/kernel/errors.js';
import { createPool, type PostgresOptions } from '../../../src/platform/postgres/pool.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { appendsWaiting, holdLog } from '../../support/held-log.js';
import { PostgresProxy } from '../../support/postgres-proxy.js';
import { newStream, noted, sampleCatalog, sampleMetadata, write } from '../../support/sample-events.js';

describe('the event store during outages', () => {
  let database: TestDatabase;
  const open: { close(): Promise<unknown> }[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterEach(async () => {
    for (const opened of open.splice(0)) await opened.close();
  });

  afterAll(() => database.drop());

  const storeOn = (postgres: PostgresOptions): PostgresEventStore => {
    const options = { postgres, pool: database.appPool, catalog: sampleCatalog, log: silentLog };
    const store = new PostgresEventStore(options);
    open.unshift(store);
    return store;
  };

  const appendSeveral = (store: PostgresEventStore, count: number) => {
    const streams = Array.from({ length: count }, newStream);
    const results = Promise.all(streams.map((stream) => store.append([write(stream, 0, 'a', 'b')], sampleMetadata)));
    return { streams, results };
  };

  const expectOnce = async (store: PostgresEventStore, streams: ReturnType<typeof newStream>[]) => {
    for (const stream of streams) {
      expect((await store.readStream(stream)).map(({ version }) => version)).toEqual([1, 2]);
    }
  };

  it('is unavailable while another client locks the log, and continues afterwards', async () => {
    const store = storeOn(database.app);
    const stream = newStream();
    const log = await holdLog(database.ownerPool);

    await expect(store.append([write(stream, 0, 'a')], sampleMetadata)).rejects.toBeInstanceOf(Unavailable);

    await log.release();
    await store.append([write(stream, 0, 'b')], sampleMetadata);
    expect((await store.readStream(stream)).map(({ data }) => data)).toEqual([{ note: 'b' }]);
  });

  it.each([
    ['one append', 1],
    ['a batch', 20],
  ])('loses and duplicates nothing of %s if the connection is killed during the append', async (_what, count) => {
    const store = storeOn(database.app);
    await store.append([write(newStream(), 0, 'connected')], sampleMetadata);
    const log = await holdLog(database.ownerPool);
    const { streams, results } = appendSeveral(store, count);
    const [pid] = await appendsWaiting(database.appPool);

    // Waits for its end: until then it is among those that wait for the lock.
    await database.appPool.query('select pg_terminate_backend($1, 30000)', [pid]);
    const [next] = await appendsWaiting(database.appPool);
    await log.release();

    expect(next).not.toBe(pid);
    for (const result of await results) expect(result.recordedNow).toBe(true);
    await expectOnce(store, streams);
  });

  it.each([
    ['one event', 1, 1],
    ['one event, twice', 1, 2],
    ['a batch', 20, 1],
    ['a batch, twice', 20, 2],
  ])('loses and duplicates nothing if the response to %s is lost', async (_what, count, times) => {
    const proxy = await PostgresProxy.before(database.app);
    open.push(proxy);
    const store = storeOn(proxy.options);
    await store.append([write(newStream(), 0, 'connected')], sampleMetadata);
    const before = await store.head();
    const streams = Array.from({ length: count }, newStream);

    proxy.loseAnswersTo('es_append', times);
    const results = await Promise.all(streams.map((stream) => store.append([write(stream, 0, 'a')], sampleMetadata)));

    expect(proxy.answersLost).toBeGreaterThanOrEqual(times);
    for (const result of results) expect(result.recordedNow).toBe(true);
    expect(new Set(results.map(({ firstPosition }) => firstPosition)).size).toBe(count);
    expect((await store.head()).position).toBe(before.position + BigInt(count));
  });

  it('reports a lost connection at once, even without appends', async () => {
    const store = storeOn(database.app);
    await store.append([write(newStream(), 0, 'connected')], sampleMetadata);
    const lost = new Promise<void>((resolve) => store.onConnectionLost(resolve));

    await database.appPool.query(
      `select pg_terminate_backend(pid, 30000) from pg_stat_activity
       where datname = current_database() and application_name like '%append'`,
    );

    await lost;
    expect(await store.append([write(newStream(), 0, 'again')], sampleMetadata)).toMatchObject({ recordedNow: true });
  });

  it('gives up after a few lost responses, and the caller may repeat', async () => {
    const proxy = await PostgresProxy.before(database.app);
    open.push(proxy);
    const store = storeOn(proxy.options);
    const stream = newStream();
    const writes = [{ stream, expectedVersion: 0, events: [noted('a')] }];

    proxy.loseAnswersTo('es_append', 1_000);
    await expect(store.append(writes, sampleMetadata)).rejects.toBeInstanceOf(Unavailable);
    proxy.loseAnswersTo('es_append', 0);

    expect(await store.append(writes, sampleMetadata)).toMatchObject({ recordedNow: false });
    expect(await store.readStream(stream)).toHaveLength(1);
  });

  it('is unavailable, without other errors, if there is no Postgres', async () => {
    const postgres = { ...database.app, port: 1 };
    const pool = createPool(postgres);
    const store = new PostgresEventStore({ postgres, pool, catalog: sampleCatalog, log: silentLog });
    open.push(store, { close: () => pool.end() });

    await expect(store.append([write(newStream(), 0, 'a')], sampleMetadata)).rejects.toBeInstanceOf(Unavailable);
    await expect(store.readStream(newStream())).rejects.toBeInstanceOf(Unavailable);
    await expect(store.readAll(0n, 1)).rejects.toBeInstanceOf(Unavailable);
    await expect(store.head()).rejects.toBeInstanceOf(Unavailable);
  });

  it('completes started appends when it closes, and accepts no more', async () => {
    const store = new PostgresEventStore({
      postgres: database.app,
      pool: database.appPool,
      catalog: sampleCatalog,
      log: silentLog,
    });
    const { streams, results } = appendSeveral(store, 5);

    await store.close();

    await results;
    await expectOnce(store, streams);
    await expect(store.append([write(newStream(), 0, 'late')], sampleMetadata)).rejects.toBeInstanceOf(Unavailable);
  });
});
