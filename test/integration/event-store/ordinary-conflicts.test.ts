import type { Pool } from 'pg';

import { PostgresEventStore } from '../../../src/event-sourcing/event-store/postgres-event-store.js';
import { VersionConflict } from '../../../src/kernel/errors.js';
import { newId } from '../../../src/kernel/uuid.js';
import { ignoreErrors } from '../../../src/platform/async/ignore-errors.js';
import { createPool } from '../../../src/platform/postgres/pool.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import type { TestDatabase } from '../../support/database.js';
import { PrivatePostgres } from '../../support/private-postgres.js';
import { newStream, sampleCatalog, sampleMetadata, write } from '../../support/sample-events.js';
import { startIdentityApp } from '../identity/identity-app.js';

const WRITERS = 32;
const STREAMS = 4;
const ROUNDS = 6;

let postgres: PrivatePostgres;
let pool: Pool;
let stores: PostgresEventStore[];

beforeAll(async () => {
  postgres = await PrivatePostgres.start();
  pool = createPool(postgres.options('app'));
  const options = { postgres: postgres.options('app'), pool, catalog: sampleCatalog, log: silentLog };
  stores = [1, 2, 3].map(() => new PostgresEventStore(options));
}, 120_000);

afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await pool.end();
  await postgres.remove();
});

/** The server's log entries at level ERROR and above during an action. */
async function errorsWhile(work: () => Promise<void>): Promise<string[]> {
  const mark = `-- ${newId()}`;
  postgres.mark(mark);
  await work();
  const log = await postgres.log();
  return log
    .slice(log.indexOf(mark))
    .split('\n')
    .filter((line) => /(ERROR|FATAL|PANIC|STATEMENT|DETAIL):/.test(line));
}

const outcomeOf = (append: Promise<unknown>): Promise<string> =>
  append.then(
    () => 'recorded',
    (error: unknown) => (error instanceof VersionConflict ? 'conflict' : String(error)),
  );

test('real errors are in that log', async () => {
  expect(
    await errorsWhile(async () => void (await ignoreErrors(pool.query('select 1/0'), 'the log shows it'))),
  ).toEqual([expect.stringContaining('division by zero')]);
});

test.each([
  ['one event', 1],
  ['several events', 3],
])('writers of %s who compete for streams get conflicts, and Postgres logs no errors', async (_what, events) => {
  const outcomes: string[] = [];
  const notes = Array.from({ length: events }, (_, note) => note);
  const errors = await errorsWhile(async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const streams = Array.from({ length: STREAMS }, newStream);
      const appends = Array.from({ length: WRITERS }, (_, writer) =>
        stores[writer % stores.length]!.append([write(streams[writer % STREAMS]!, 0, ...notes)], sampleMetadata),
      );
      outcomes.push(...(await Promise.all(appends.map(outcomeOf))));
    }
  });
  expect(errors).toEqual([]);
  expect(outcomes.filter((outcome) => outcome === 'recorded')).toHaveLength(ROUNDS * STREAMS);
  expect(outcomes.filter((outcome) => outcome === 'conflict')).toHaveLength(ROUNDS * (WRITERS - STREAMS));
});

test('repeated ids get their first results, alone and with others', async () => {
  const [one, two] = stores as [PostgresEventStore, PostgresEventStore];
  const first = write(newStream(), 0, 1);
  const errors = await errorsWhile(async () => {
    await one.append([first], sampleMetadata);
    expect(await one.append([first], sampleMetadata)).toMatchObject({ recordedNow: false });
    const others = Array.from({ length: 8 }, () => two.append([write(newStream(), 0, 1)], sampleMetadata));
    const [again] = await Promise.all([two.append([first], sampleMetadata), ...others]);
    expect(again).toMatchObject({ recordedNow: false });
  });
  expect(errors).toEqual([]);
});

test('of two appends of one batch with the same event id, one is recorded', async () => {
  const store = stores[0]!;
  const one = write(newStream(), 0, 1);
  const other = { ...write(newStream(), 0, 1), events: one.events };
  const company = Array.from({ length: 4 }, () => outcomeOf(store.append([write(newStream(), 0, 1)], sampleMetadata)));
  let outcomes: string[] = [];
  const errors = await errorsWhile(async () => {
    outcomes = await Promise.all([one, other].map((append) => outcomeOf(store.append([append], sampleMetadata))));
  });
  expect(errors).toEqual([]);
  expect(outcomes).toEqual(['recorded', expect.stringContaining('an event id was recorded before')]);
  expect(await Promise.all(company)).toEqual(['recorded', 'recorded', 'recorded', 'recorded']);
});

test('of many concurrent registrations of one email one succeeds, and no statement is logged', async () => {
  const identity = await startIdentityApp({ app: postgres.options('app'), appPool: pool } as TestDatabase);
  try {
    const account = { email: 'contended@example.com', password: 'correct horse battery', name: 'Ada' };
    let statuses: number[] = [];
    const errors = await errorsWhile(async () => {
      const answers = await Promise.all(Array.from({ length: 6 }, () => identity.post('/auth/register', account)));
      statuses = answers.map(({ statusCode }) => statusCode);
    });
    expect(errors).toEqual([]);
    expect(statuses.toSorted()).toEqual([201, 409, 409, 409, 409, 409]);
    expect(await postgres.log()).not.toContain('contended');
  } finally {
    await identity.close();
  }
});
