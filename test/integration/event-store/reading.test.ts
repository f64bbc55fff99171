import { upcastEvent, PoisonEvent, type StoredEvent } from '../../../src/event-sourcing/core/stored-event.js';
import { PostgresEventStore } from '../../../src/event-sourcing/event-store/postgres-event-store.js';
import { PostgresStreamVersions } from '../../../src/event-sourcing/event-store/stream-versions.js';
import { newId } from '../../../src/kernel/uuid.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { newStream, noted, sampleCatalog, sampleMetadata, write } from '../../support/sample-events.js';

describe('reading the log', () => {
  const stream = newStream();
  const poison = { eventId: newId(), type: 'Unheard', schemaVersion: 7, data: { of: 'a future version' } };
  let database: TestDatabase;
  let store: PostgresEventStore;

  /** Positions 1 to 1000: a long stream; 1001: a poison event; 1002: a valid one. */
  beforeAll(async () => {
    database = await createTestDatabase();
    const { app: postgres, appPool: pool } = database;
    store = new PostgresEventStore({ postgres, pool, catalog: sampleCatalog, log: silentLog });
    const notes = Array.from({ length: 1_000 }, (_, index) => index);
    await store.append([write(stream, 0, ...notes)], sampleMetadata);
    await store.append([{ stream: newStream(), expectedVersion: 0, events: [poison, noted('good')] }], sampleMetadata);
  });

  afterAll(async () => {
    await store.close();
    await database.drop();
  });

  const scanned = async (batches: AsyncIterable<StoredEvent[]>) => {
    const sizes: number[] = [];
    const positions: bigint[] = [];
    for await (const batch of batches) {
      sizes.push(batch.length);
      positions.push(...batch.map(({ position }) => position));
    }
    return { sizes, positions };
  };

  it('a scan reads a range in order, in batches', async () => {
    const { sizes, positions } = await scanned(store.scan(100n, 999n, 400));

    expect(sizes).toEqual([400, 400, 99]);
    expect(positions).toEqual(Array.from({ length: 899 }, (_, index) => BigInt(index + 101)));
  });

  it('a scan ends at the end of the log, and can be stopped early', async () => {
    expect((await scanned(store.scan(0n, 1_000_000n))).positions).toHaveLength(1_002);
    expect((await scanned(store.scan(5n, 5n))).positions).toEqual([]);
    for await (const batch of store.scan(0n, 1_002n, 10)) {
      expect(batch).toHaveLength(10);
      break;
    }
  });

  it('returns events as they are stored', async () => {
    const [raw] = await store.readAllStored(1_000n, 1);
    const { rows } = await database.appPool.query<{ data: string; metadata: string; recorded_at: Date }>(
      'select data::text, metadata::text, recorded_at from es.events where position = 1001',
    );

    expect(raw).toMatchObject({ position: 1_001n, version: 1, type: 'Unheard', schemaVersion: 7 });
    expect(raw!.data).toBe(rows[0]!.data);
    expect(raw!.metadata).toBe(rows[0]!.metadata);
    expect(raw!.recordedAt).toBe(rows[0]!.recorded_at.toISOString());
    expect(await store.readStreamStored(raw!.stream, 0, 1)).toEqual([raw]);
  });

  it('returns the right events for concurrent reads of streams, within the requested range', async () => {
    const wanted = [
      { stream, after: 0, limit: 3 },
      { stream, after: 998, limit: 10 },
      { stream: newStream(), after: 0, limit: 10 },
      { stream: { ...stream, type: 'user' as const }, after: 0, limit: 10 },
    ];
    const found = await Promise.all(
      wanted.map(({ stream, after, limit }) => store.readStreamStored(stream, after, limit)),
    );

    expect(found.map((events) => events.map(({ version }) => version))).toEqual([[1, 2, 3], [999, 1_000], [], []]);
    expect(found[0]).toEqual(await store.readStreamStored(stream, 0, 3));
  });

  it('one poison event does not affect the others', async () => {
    const raw = await store.readAllStored(999n, 10);
    const lifted = raw.map((event) => {
      try {
        return upcastEvent(sampleCatalog, event).data;
      } catch (error) {
        return error;
      }
    });

    expect(lifted).toEqual([{ note: 999 }, expect.any(PoisonEvent), { note: 'good' }]);
    await expect(store.readAll(999n, 10)).rejects.toMatchObject({ event: { position: 1_001n } });
  });

  it('returns the versions of many streams at once', async () => {
    const other = newStream();
    await store.append([write(other, 0, 'a', 'b')], sampleMetadata);
    const versions = new PostgresStreamVersions(database.appPool);

    expect(await versions.versionsOf([stream.id, newId(), other.id])).toEqual(
      new Map([
        [stream.id, 1_000],
        [other.id, 2],
      ]),
    );
    expect(await versions.versionsOf([])).toEqual(new Map());
  });

  it('returns the streams that have advanced since a position, in any number', async () => {
    const versions = new PostgresStreamVersions(database.appPool);
    const { position } = await store.head();
    expect(await versions.advanceSince(null)).toEqual({ position, versions: new Map() });
    expect(await versions.advanceSince(position)).toEqual({ position, versions: new Map() });
    const all = await versions.advanceSince(0n);
    expect([all.position, all.versions.get(stream.id)]).toEqual([position, 1_000]);
    expect(position).toBeGreaterThan(1_000n);
  });

  it('knows the epoch, which a restore raises', async () => {
    expect(await store.head()).toMatchObject({ epoch: 1 });
    await database.ownerPool.query('update es.head set epoch = epoch + 1');
    expect(await store.head()).toMatchObject({ epoch: 2 });
  });
});
