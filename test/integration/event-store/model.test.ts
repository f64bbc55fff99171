import fc from 'fast-check';

import type { EventStore, StreamWrite } from '../../../src/event-sourcing/core/event-store.js';
import { PostgresEventStore } from '../../../src/event-sourcing/event-store/postgres-event-store.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { InMemoryEventStore } from '../../support/in-memory-event-store.js';
import { newStream, sampleCatalog, sampleMetadata, write } from '../../support/sample-events.js';

const STREAMS = 3;
const RUNS = 40;

/** An append to one or several of a few streams, or the repeat of an earlier one. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant('append' as const),
    writes: fc.uniqueArray(
      fc.record({
        stream: fc.nat(STREAMS - 1),
        /** The difference from the current version; mostly 0. */
        offBy: fc.constantFrom(0, 0, 0, 0, 0, -1, 1),
        notes: fc.array(fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' }), { minLength: 1, maxLength: 3 }),
      }),
      { selector: ({ stream }) => stream, minLength: 1, maxLength: STREAMS },
    ),
  }),
  fc.record({ kind: fc.constant('repeat' as const), which: fc.nat(), part: fc.boolean() }),
);

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

describe('the event store on Postgres, compared with the in-memory store', () => {
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

  const outcome = (of: EventStore, base: bigint, writes: StreamWrite[]) =>
    of.append(writes, sampleMetadata).then(
      ({ firstPosition, lastPosition, recordedNow }) => [firstPosition - base, lastPosition - base, recordedNow],
      ({ name, code, message }: Error & { code?: string }) => (code ? { name, code } : { name, message }),
    );

  it('returns the same results for random appends, and ends with the same log', async () => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps: Step[]) => {
      const model = new InMemoryEventStore(sampleCatalog);
      const streams = Array.from({ length: STREAMS }, newStream);
      const { position: base } = await store.head();
      const made: StreamWrite[][] = [];
      for (const each of steps) {
        const writes = await writesOf(each, model, streams, made);
        if (!writes) continue;
        const expected = await outcome(model, 0n, writes);
        expect(await outcome(store, base, writes)).toEqual(expected);
        made.push(writes);
      }
      const log = await store.readAll(base, 1_000);
      const facts = (events: typeof log, from: bigint) =>
        events.map(({ position, stream, version, eventId, data }) => [position - from, stream, version, eventId, data]);
      expect(facts(log, base)).toEqual(facts(await model.readAll(0n, 1_000), 0n));
    });

    await fc.assert(property, { numRuns: RUNS });
  });

  async function writesOf(
    each: Step,
    model: InMemoryEventStore,
    streams: ReturnType<typeof newStream>[],
    made: StreamWrite[][],
  ): Promise<StreamWrite[] | null> {
    if (each.kind === 'repeat') {
      const earlier = made[each.which % Math.max(made.length, 1)];
      if (!earlier) return null;
      return each.part ? earlier.slice(0, 1) : earlier;
    }
    return Promise.all(
      each.writes.map(async ({ stream, offBy, notes }) => {
        const ref = streams[stream]!;
        const { length } = await model.readStream(ref);
        return write(ref, Math.max(0, length + offBy), ...(notes as string[]));
      }),
    );
  }
});
