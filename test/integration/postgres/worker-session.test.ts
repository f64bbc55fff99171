import { randomUUID } from 'node:crypto';

import { PostgresWorkerSessions, WorkerSession } from '../../../src/platform/postgres/worker-session.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';

let database: TestDatabase;
let sessions: PostgresWorkerSessions;
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = new PostgresWorkerSessions(database.appPool);
});

afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});
afterAll(() => database.drop());

function hold(workerId: string) {
  const session = new WorkerSession({
    workerId,
    postgres: { ...database.app, applicationName: 'session of a worker' },
    log: silentLog,
  });
  const stopping = new AbortController();
  const ended = session.run(stopping.signal);
  const held = {
    session,
    stop() {
      stopping.abort();
      return ended;
    },
  };
  running.push(held);
  return held;
}

/** Null while the server has only just started. */
const openOf = async (...ids: string[]): Promise<string[] | null> => {
  const open = await sessions.open(ids);
  return open && [...open];
};
const becomes = (ids: string[], wished: string[]) =>
  eventually(async () => expect(await openOf(...ids)).toEqual(wished), { timeoutMs: 20_000 });

const backends = async (): Promise<number[]> =>
  (
    await database.appPool.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = $1 and application_name = 'session of a worker'`,
      [database.name],
    )
  ).rows.map(({ pid }) => pid);

test('distinguishes open sessions from ended ones, by worker', async () => {
  const [one, other] = [randomUUID(), randomUUID()];
  const [first, second] = [hold(one), hold(other)];
  await becomes([one, other], [one, other]);
  expect([first.session.isOpen, second.session.isOpen]).toEqual([true, true]);
  await first.stop();
  expect(first.session.isOpen).toBe(false);
  await becomes([one, other, randomUUID()], [other]);
});

test('a cut session is opened again', async () => {
  const id = randomUUID();
  const { session } = hold(id);
  await becomes([id], [id]);
  const [before] = await backends();
  await database.appPool.query('select pg_terminate_backend($1)', [before]);
  await eventually(async () => {
    const after = await backends();
    expect(after).toHaveLength(1);
    expect(after).not.toContain(before);
  });
  await eventually(() => expect(session.isOpen).toBe(true));
  expect(await openOf(id)).toEqual([id]);
});

test('an old session of the same worker, not yet noticed as ended, does not block the new one', async () => {
  const id = randomUUID();
  const ghost = hold(id);
  await becomes([id], [id]);
  const { session } = hold(id);
  await eventually(() => expect(session.isOpen).toBe(true));
  await ghost.stop();
  expect(await openOf(id)).toEqual([id]);
});

test('sessions of another database do not count', async () => {
  const elsewhere = await createTestDatabase();
  try {
    const id = randomUUID();
    hold(id);
    await becomes([id], [id]);
    expect(await new PostgresWorkerSessions(elsewhere.appPool).open([id])).toEqual(new Set());
  } finally {
    await elsewhere.drop();
  }
});
