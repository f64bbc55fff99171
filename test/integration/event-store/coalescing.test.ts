import type { StreamWrite } from '../../../src/event-sourcing/core/event-store.js';
import { WAITING_APPENDS_MAX } from '../../../src/event-sourcing/event-store/append-queue.js';
import { PostgresEventStore } from '../../../src/event-sourcing/event-store/postgres-event-store.js';
import { DomainError, Unavailable, VersionConflict } from '../../../src/kernel/errors.js';
import { newId } from '../../../src/kernel/uuid.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { appendsWaiting, holdLog } from '../../support/held-log.js';
import { newStream, noted, sampleCatalog, sampleMetadata, write } from '../../support/sample-events.js';

describe('appends that share a batch', () => {
  let database: TestDatabase;
  let store: PostgresEventStore;

  beforeAll(async () => {
    database = await createTestDatabase();
    const { app: postgres, appPool: pool } = database;
    store = new PostgresEventStore({ postgres, pool, catalog: sampleCatalog, log: silentLog });
  });

  afterAll(async () => {
    await store.close();
    await database.drop();
  });

  /** The first append waits for the lock, so all the others collect behind it. */
  async function together<T>(appends: () => Promise<T>[]): Promise<PromiseSettledResult<T>[]> {
    const log = await holdLog(database.ownerPool);
    const first = store.append([write(newStream(), 0, 'in front')], sampleMetadata);
    await appendsWaiting(database.appPool);
    // In one turn of the event loop: the first must not wait for its lock too long while the others are encoded.
    const released = log.release();
    const others = Promise.allSettled(appends());
    await released;
    await first;
    return others;
  }

  const appendAll = (...appends: StreamWrite[][]) =>
    together(() => appends.map((writes) => store.append(writes, sampleMetadata)));

  const transactionsOf = async (...streams: { id: string }[]) => {
    const { rows } = await database.appPool.query<{ xmin: string }>(
      'select distinct xmin::text from es.events where stream_id = any($1)',
      [streams.map(({ id }) => id)],
    );
    return rows.length;
  };

  const statuses = (settled: PromiseSettledResult<unknown>[]) => settled.map(({ status }) => status);
  const reasonOf = (result: PromiseSettledResult<unknown> | undefined) => (result as PromiseRejectedResult).reason;

  it.each([
    { appends: 5, most: 1 },
    // In halves; the second half is halved again if the first is recorded before the second is sent.
    { appends: 20, most: 3 },
  ])('are recorded in few transactions: $appends in $most at most', async ({ appends, most }) => {
    const streams = Array.from({ length: appends }, newStream);

    const settled = await appendAll(...streams.map((stream) => [write(stream, 0, 'a', 'b')]));

    expect(new Set(statuses(settled))).toEqual(new Set(['fulfilled']));
    expect(await transactionsOf(...streams)).toBeLessThanOrEqual(most);
  });

  it('are not affected by a version conflict in the batch', async () => {
    const [one, taken, three] = [newStream(), newStream(), newStream()];
    await store.append([write(taken, 0, 'before')], sampleMetadata);

    const settled = await appendAll([write(one, 0, 'a')], [write(taken, 0, 'b')], [write(three, 0, 'c')]);

    expect(statuses(settled)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(reasonOf(settled[1])).toBeInstanceOf(VersionConflict);
    expect(reasonOf(settled[1])).toMatchObject({ streamId: taken.id, expectedVersion: 0, actualVersion: 1 });
    expect(await transactionsOf(one, three)).toBe(1);
  });

  it('are recorded without a part of a refused append to several streams', async () => {
    const [one, half, taken, four] = [newStream(), newStream(), newStream(), newStream()];
    await store.append([write(taken, 0, 'before')], sampleMetadata);

    const settled = await appendAll(
      [write(one, 0, 'a')],
      [write(half, 0, 'b'), write(taken, 0, 'c')],
      [write(four, 0, 'd')],
    );

    expect(statuses(settled)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await store.readStream(half)).toEqual([]);
    expect(await transactionsOf(one, four)).toBe(1);
  });

  it('are not affected by a repeated append in the batch', async () => {
    const [one, old, three] = [newStream(), newStream(), newStream()];
    const repeated = [write(old, 0, 'a', 'b')];
    const first = await store.append(repeated, sampleMetadata);

    const settled = await appendAll([write(one, 0, 'a')], repeated, [write(three, 0, 'c')]);

    expect(settled[1]).toEqual({ status: 'fulfilled', value: { ...first, recordedNow: false } });
    expect(await transactionsOf(one, three)).toBe(1);
  });

  it('are not affected by an append in the batch that reuses an event id', async () => {
    const [one, thief, three] = [newStream(), newStream(), newStream()];
    const event = noted('mine');

    const settled = await appendAll(
      [{ stream: one, expectedVersion: 0, events: [event] }],
      [{ stream: thief, expectedVersion: 0, events: [event] }],
      [write(three, 0, 'c')],
    );

    expect(statuses(settled)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(reasonOf(settled[1])).toMatchObject({ code: 'event_id_reused' });
  });

  it('are not affected by an append in the batch that Postgres cannot store', async () => {
    const [one, bad, three] = [newStream(), newStream(), newStream()];
    const unstorable = { eventId: newId(), type: 'Noted', schemaVersion: 0, data: {} };

    const settled = await appendAll(
      [write(one, 0, 'a')],
      [{ stream: bad, expectedVersion: 0, events: [unstorable] }],
      [write(three, 0, 'c')],
    );

    expect(statuses(settled)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(reasonOf(settled[1])).toBeInstanceOf(DomainError);
    expect(reasonOf(settled[1])).toMatchObject({ code: 'event_not_storable', kind: 'invalid' });
    expect(await store.readStream(bad)).toEqual([]);
  });

  it('are not affected by an append in the batch that cannot be sent', async () => {
    const [one, bad, three] = [newStream(), newStream(), newStream()];

    const settled = await appendAll(
      [write(one, 0, 'a')],
      [{ stream: bad, expectedVersion: 0, events: [{ ...noted('b'), schemaVersion: 40_000 }] }],
      [write(three, 0, 'a\0b')],
      [write(three, 0, 'c')],
    );

    expect(statuses(settled)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  });

  it('keep the order of one caller, also on one stream', async () => {
    const stream = newStream();

    const settled = await appendAll(...Array.from({ length: 10 }, (_, version) => [write(stream, version, version)]));

    expect(new Set(statuses(settled))).toEqual(new Set(['fulfilled']));
    const notes = (await store.readStream(stream)).map(({ data }) => (data as { note: number }).note);
    expect(notes).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('are in the log in the order of arrival', async () => {
    const streams = Array.from({ length: 20 }, newStream);

    const settled = await appendAll(...streams.map((stream) => [write(stream, 0, 'a')]));

    const positions = settled.map((result) => (result as PromiseFulfilledResult<{ firstPosition: bigint }>).value);
    const first = positions[0]!.firstPosition;
    expect(positions.map(({ firstPosition }) => firstPosition)).toEqual(streams.map((_, i) => first + BigInt(i)));
  });

  it(`wait behind at most ${WAITING_APPENDS_MAX} others`, async () => {
    const many = Array.from({ length: WAITING_APPENDS_MAX + 1 }, () => [write(newStream(), 0, 'x')]);

    const settled = await appendAll(...many);

    expect(reasonOf(settled.pop())).toBeInstanceOf(Unavailable);
    expect(new Set(statuses(settled))).toEqual(new Set(['fulfilled']));
  });
});
