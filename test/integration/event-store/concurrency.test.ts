import type { StoredEvent } from '../../../src/event-sourcing/core/stored-event.js';
import { PostgresEventStore } from '../../../src/event-sourcing/event-store/postgres-event-store.js';
import { VersionConflict } from '../../../src/kernel/errors.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { newStream, sampleCatalog, sampleMetadata, write } from '../../support/sample-events.js';

const WRITERS = 64;
const APPENDS_EACH = 12;

describe('many writers in two processes', () => {
  let database: TestDatabase;
  let stores: PostgresEventStore[];

  beforeAll(async () => {
    database = await createTestDatabase();
    const { app: postgres, appPool: pool } = database;
    stores = [1, 2].map(() => new PostgresEventStore({ postgres, pool, catalog: sampleCatalog, log: silentLog }));
  });

  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await database.drop();
  });

  /** Follows the log as a subscription does, and never reads backwards. */
  async function follow(until: Promise<unknown>): Promise<StoredEvent[]> {
    const seen: StoredEvent[] = [];
    let done = false;
    void until.then(() => (done = true));
    for (let last = false; !last;) {
      last = done;
      const more = await stores[0]!.readAllStored(BigInt(seen.length), 1_000);
      seen.push(...more);
      if (more.length > 0) last = false;
    }
    return seen;
  }

  it('leave no gap at any moment, and share contended streams fairly', async () => {
    const shared = [newStream(), newStream(), newStream()];
    let conflicts = 0;

    /** Every writer has its own stream; every third append also goes to a shared one. */
    const writer = async (number: number) => {
      const store = stores[number % 2]!;
      const own = newStream();
      for (let version = 0; version < APPENDS_EACH; version += 1) {
        const contended = shared[(number + version) % shared.length]!;
        if (version % 3 === 0) {
          conflicts += await appendToBoth(store, own, version, contended);
        } else {
          await store.append([write(own, version, number)], sampleMetadata);
        }
      }
      return own;
    };

    const writing = Promise.all(Array.from({ length: WRITERS }, (_, number) => writer(number)));
    const [owns, seen] = await Promise.all([writing, follow(writing)]);

    const sharedEvents = (WRITERS * APPENDS_EACH) / 3;
    expect(seen.map(({ position }) => position)).toEqual(seen.map((_, index) => BigInt(index + 1)));
    expect(seen).toHaveLength(WRITERS * APPENDS_EACH + sharedEvents);
    expect(conflicts).toBeGreaterThan(0);
    for (const own of owns)
      expect(versionsOf(seen, own.id)).toEqual(Array.from({ length: APPENDS_EACH }, (_, i) => i + 1));
    const ofShared = shared.flatMap(({ id }) => versionsOf(seen, id).map((version, index) => version - index));
    expect(ofShared).toEqual(Array.from({ length: sharedEvents }, () => 1));
    const times = seen.map(({ recordedAt }) => recordedAt);
    expect(times).toEqual(times.toSorted());
  });

  const versionsOf = (events: readonly StoredEvent[], id: string) =>
    events.filter(({ stream }) => stream.id === id).map(({ version }) => version);

  /** @returns how often another writer was first */
  async function appendToBoth(
    store: PostgresEventStore,
    own: ReturnType<typeof newStream>,
    version: number,
    contended: ReturnType<typeof newStream>,
  ): Promise<number> {
    for (let conflicts = 0; ; conflicts += 1) {
      const { length } = await store.readStream(contended);
      try {
        await store.append([write(own, version, 'both'), write(contended, length, 'both')], sampleMetadata);
        return conflicts;
      } catch (error) {
        if (!(error instanceof VersionConflict)) throw error;
      }
    }
  }
});
