import type { Pool } from 'pg';

import type { DomainEvent, RecordedEvent } from '../../../src/event-sourcing/core/event.js';
import { Unavailable } from '../../../src/kernel/errors.js';
import type { ActiveExecution } from '../../../src/orchestrator/active-execution.js';
import { EffectRunner } from '../../../src/orchestrator/effect-runner.js';
import { Orchestrator } from '../../../src/orchestrator/orchestrator.js';
import { anActiveExecution } from '../../support/builders/active.js';
import * as event from '../../support/builders/executions.js';
import { OWNER_ID } from '../../support/builders/people.js';
import { recorded, EXECUTION_STREAM, TASK_STREAM } from '../../support/builders/recorded.js';
import { EXECUTION_ID, taskCreated } from '../../support/builders/tasks.js';
import { InMemoryJobQueue } from '../../support/in-memory-job-queue.js';

const LEASE_MS = 3_600_000;

/** @param rows of the orchestrator's own table, before the batch */
function setUp(...rows: ActiveExecution[]) {
  const queue = new InMemoryJobQueue({ userConcurrencyMax: 5, ageingIntervalMs: LEASE_MS });
  const pool = { query: () => Promise.resolve({ rows: rows.map((row) => ({ ...row })) }) } as unknown as Pool;
  const orchestrator = new Orchestrator(pool, new EffectRunner(queue));
  const act = (events: readonly RecordedEvent[], signal = new AbortController().signal, ranUpTo = 0n) =>
    orchestrator.runEffects(
      events.filter((each) => orchestrator.concerns(each)).map((each) => ({ event: each, traceparent: undefined })),
      signal,
      ranUpTo,
    );
  return { queue, act };
}
const ofRun = (...events: DomainEvent[]): RecordedEvent[] => recorded(EXECUTION_STREAM, events);
/** The events after the request. */
const later = (...events: DomainEvent[]): RecordedEvent[] => ofRun(event.requested(), ...events).slice(1);
const jobOfAttempt = (attempt: number) => ({ executionId: EXECUTION_ID, attempt, userId: OWNER_ID, priority: 5 });

test('a request enqueues a job', async () => {
  const { queue, act } = setUp();
  await act(ofRun(event.requested()));
  expect(await queue.inspect([jobOfAttempt(1)])).toEqual(['waiting']);
});

test('a batch that is handled twice has its effects once', async () => {
  const { queue, act } = setUp();
  await act(ofRun(event.requested()));
  const job = await queue.reserve({ workerId: event.WORKER, leaseMs: LEASE_MS, waitMs: 0 });
  await act(ofRun(event.requested()));
  expect(await queue.stats()).toMatchObject({ waiting: 0, leased: 1 });
  expect(job).toMatchObject(jobOfAttempt(1));
});

test('effects that ran while their events waited do not run again, and their events count', async () => {
  const { queue, act } = setUp();
  const [requested, cancelled] = ofRun(event.requested(), event.cancelled()) as [RecordedEvent, RecordedEvent];
  await act([requested]);
  await act([requested, cancelled], undefined, requested.position);
  expect(await queue.inspect([jobOfAttempt(1)])).toEqual(['missing']);
  await act([requested], undefined, requested.position);
  expect(await queue.inspect([jobOfAttempt(1)])).toEqual(['missing']);
});

test('a batch is applied event by event, each on the state after the previous one', async () => {
  const { queue, act } = setUp();
  await act(ofRun(event.requested(), event.started(), event.attemptLost(), event.retryScheduled(2, 0)));
  expect(await queue.inspect([jobOfAttempt(1), jobOfAttempt(2)])).toEqual(['waiting', 'waiting']);
});

test('a batch starts from the table’s rows', async () => {
  const { queue, act } = setUp(anActiveExecution());
  await queue.enqueue(jobOfAttempt(1));
  await act(later(event.cancelled()));
  expect(await queue.inspect([jobOfAttempt(1)])).toEqual(['missing']);
});

test('a job with a lease is left to its worker', async () => {
  const { queue, act } = setUp(anActiveExecution());
  await queue.enqueue(jobOfAttempt(1));
  await queue.reserve({ workerId: event.WORKER, leaseMs: LEASE_MS, waitMs: 0 });
  await act(later(event.cancelled()));
  expect(await queue.inspect([jobOfAttempt(1)])).toEqual(['leased']);
});

test('task events are ignored', async () => {
  const { queue, act } = setUp();
  await act(recorded(TASK_STREAM, [taskCreated()]));
  expect(await queue.stats()).toMatchObject({ waiting: 0, delayed: 0 });
});

test('an outage is thrown, so that the batch is delivered again', async () => {
  const { queue, act } = setUp();
  queue.enqueue = () => Promise.reject(new Unavailable('redis', 'away'));
  await expect(act(ofRun(event.requested()))).rejects.toThrow(Unavailable);
});

test('a leader that has lost its lead stops between events', async () => {
  const { queue, act } = setUp();
  const lead = new AbortController();
  lead.abort(new Error('somebody else leads'));
  await expect(act(ofRun(event.requested()), lead.signal)).rejects.toThrow('somebody else leads');
  expect(await queue.stats()).toMatchObject({ waiting: 0 });
});
