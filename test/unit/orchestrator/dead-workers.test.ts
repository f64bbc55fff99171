import { DomainError, Unavailable } from '../../../src/kernel/errors.js';
import { DeadWorkers, type HeldAttempt, HeldAttempts } from '../../../src/orchestrator/dead-workers.js';
import { ignoreErrors } from '../../../src/platform/async/ignore-errors.js';
import { DEAD_AFTER_MS } from '../../../src/platform/postgres/worker-sessions.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { LoseAttempt } from '../../../src/tasks/domain/execution-commands.js';
import { EXECUTION_ID } from '../../support/builders/tasks.js';
import { InMemoryJobQueue } from '../../support/in-memory-job-queue.js';
import { InMemoryWorkerSessions } from '../../support/worker-sessions.js';

/** Longer than the test: a lease never expires here. */
const FOR_EVER_MS = 3_600_000;
const OTHER_RUN_ID = '01900000-0000-7000-8000-0000000000ff';
const HELD = { execution_id: EXECUTION_ID, attempt: 2 };

class Held extends HeldAttempts {
  attempts: Record<string, HeldAttempt[]> = { worker: [HELD] };

  workers(): Promise<readonly string[]> {
    return Promise.resolve(Object.keys(this.attempts));
  }

  of(workerId: string): Promise<readonly HeldAttempt[]> {
    return Promise.resolve(this.attempts[workerId] ?? []);
  }
}

let queue: InMemoryJobQueue;
let sessions: InMemoryWorkerSessions;
let held: Held;
let issued: unknown[];
let refusal: Error | null;
let deadWorkers: DeadWorkers;

beforeEach(() => {
  queue = new InMemoryJobQueue({ userConcurrencyMax: 5, ageingIntervalMs: FOR_EVER_MS });
  sessions = new InMemoryWorkerSessions();
  sessions.ids = new Set();
  held = new Held();
  issued = [];
  refusal = null;
  const execute = (command: unknown): Promise<never> => {
    issued.push(command);
    return refusal ? Promise.reject(refusal) : Promise.resolve(null as never);
  };
  deadWorkers = new DeadWorkers(sessions, queue, held, { execute }, silentLog);
});

const beats = (beat: number) => queue.workerHeartbeat({ workerId: 'worker', running: [], beat }, FOR_EVER_MS);

/** A job that the worker has reserved, with a lease longer than the test. */
async function reserved(): Promise<void> {
  await queue.enqueue({ executionId: EXECUTION_ID, attempt: 1, userId: 'ada', priority: 5 });
  await queue.reserve({ workerId: 'worker', leaseMs: FOR_EVER_MS, waitMs: 0 });
}
const jobState = async () => (await queue.inspect([{ executionId: EXECUTION_ID, attempt: 1 }]))[0];

test('the attempts of a worker without a session are lost, long before their leases expire', async () => {
  await reserved();
  await beats(1);
  expect(await deadWorkers.check(0)).toBe(false);
  expect(await deadWorkers.check(DEAD_AFTER_MS - 1)).toBe(false);
  expect([issued, await jobState()]).toEqual([[], 'leased']);
  expect(await deadWorkers.check(DEAD_AFTER_MS)).toBe(true);
  expect(issued).toEqual([expect.any(LoseAttempt)]);
  expect(issued).toMatchObject([{ executionId: EXECUTION_ID, attempt: 2 }]);
  expect(await jobState()).toBe('missing');
  expect(await queue.workers()).toEqual([]);
});

test('also the attempts of a worker that Redis forgot in a flush', async () => {
  await deadWorkers.check(0);
  // No lease was dropped: no job is missing in the queue.
  expect(await deadWorkers.check(DEAD_AFTER_MS)).toBe(false);
  expect(issued).toHaveLength(1);
});

test('a worker with a session keeps its attempts, even without heartbeats', async () => {
  await reserved();
  sessions.ids = new Set(['worker']);
  await deadWorkers.check(0);
  await deadWorkers.check(DEAD_AFTER_MS);
  expect([issued, await jobState()]).toEqual([[], 'leased']);
});

test('a worker whose session was cut is alive if it sends heartbeats', async () => {
  await beats(1);
  await deadWorkers.check(0);
  await beats(2);
  await deadWorkers.check(DEAD_AFTER_MS);
  expect(issued).toEqual([]);
  // That heartbeat starts the time over.
  await deadWorkers.check(2 * DEAD_AFTER_MS - 1);
  expect(issued).toEqual([]);
  await deadWorkers.check(2 * DEAD_AFTER_MS);
  expect(issued).toHaveLength(1);
});

test('a worker that opens a session again is alive', async () => {
  await deadWorkers.check(0);
  sessions.ids = new Set(['worker']);
  await deadWorkers.check(DEAD_AFTER_MS - 1);
  sessions.ids = new Set();
  await deadWorkers.check(DEAD_AFTER_MS);
  expect(issued).toEqual([]);
});

const unavailable = () => Promise.reject(new Unavailable('either', 'away'));

test.each<[string, () => () => void]>([
  [
    'Redis was unavailable',
    () => {
      const { workers } = queue;
      queue.workers = unavailable;
      return () => (queue.workers = workers);
    },
  ],
  [
    'Postgres was unavailable',
    () => {
      const { open } = sessions;
      sessions.open = unavailable;
      return () => (sessions.open = open);
    },
  ],
  [
    'all sessions were lost at once',
    () => {
      sessions.ids = null;
      return () => (sessions.ids = new Set());
    },
  ],
  [
    'another process led',
    () => {
      deadWorkers.forget();
      sessions.ids = new Set(['worker']);
      return () => (sessions.ids = new Set());
    },
  ],
])('nothing is concluded from an absence during which %s', async (_, away) => {
  await deadWorkers.check(0);
  const back = away();
  await ignoreErrors(deadWorkers.check(1), 'an outage, which may be thrown');
  back();
  await deadWorkers.check(DEAD_AFTER_MS);
  expect(issued).toEqual([]);
});

test('an attempt that has already ended does not stop the others', async () => {
  held.attempts = { worker: [HELD, { ...HELD, attempt: 3 }] };
  refusal = new DomainError('attempt_not_held', 'over');
  await deadWorkers.check(0);
  await deadWorkers.check(DEAD_AFTER_MS);
  expect(issued).toHaveLength(2);
});

test('an outage in between is made up for at the next check', async () => {
  await reserved();
  await deadWorkers.check(0);
  refusal = new Unavailable('postgres', 'away');
  await expect(deadWorkers.check(DEAD_AFTER_MS)).rejects.toThrow('away');
  expect(await jobState()).toBe('leased');
  refusal = null;
  expect(await deadWorkers.check(DEAD_AFTER_MS + 1)).toBe(true);
  expect(await jobState()).toBe('missing');
});

test('an attempt that cannot be decided on stops neither the others nor the leases', async () => {
  await reserved();
  held.attempts = { worker: [HELD, { execution_id: OTHER_RUN_ID, attempt: 1 }] };
  refusal = new TypeError('a bug');
  await deadWorkers.check(0);
  expect(await deadWorkers.check(DEAD_AFTER_MS)).toBe(true);
  expect(issued).toMatchObject([{ executionId: EXECUTION_ID }, { executionId: OTHER_RUN_ID }]);
  expect(await jobState()).toBe('missing');
});
