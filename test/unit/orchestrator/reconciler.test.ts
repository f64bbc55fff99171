import { DomainError, Unavailable } from '../../../src/kernel/errors.js';
import { deterministicId } from '../../../src/kernel/uuid.js';
import type { ActiveExecution } from '../../../src/orchestrator/active-execution.js';
import { jobOf } from '../../../src/orchestrator/effects.js';
import { ActiveExecutions, assess, Reconciler, type Observation } from '../../../src/orchestrator/reconciler.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { jobId, type ReservedJob } from '../../../src/queue/job-queue.js';
import { LoseAttempt } from '../../../src/tasks/domain/execution-commands.js';
import { anActiveExecution, aRunningExecution } from '../../support/builders/active.js';
import { NOW, WORKER } from '../../support/builders/executions.js';
import { TRACEPARENT } from '../../support/builders/recorded.js';
import { InMemoryJobQueue } from '../../support/in-memory-job-queue.js';

const LEASE_MS = 15_000;
/** Longer than the test: leases and heartbeats use the real clock. */
const FOR_EVER_MS = 3_600_000;
const UNREPORTED_MS = 86_400_000;
const after = (ms: number): Date => new Date(NOW.getTime() + ms);

describe('an execution of the embedded executor is assessed', () => {
  const missing: Observation = { jobState: 'missing', workerHasIt: false, missingMs: 0 };

  test.each<[string, ActiveExecution, Partial<Observation>, ReturnType<typeof assess>]>([
    ['pending, its job exists', anActiveExecution(), { jobState: 'waiting' }, 'fine'],
    ['pending, its job is delayed', anActiveExecution(), { jobState: 'delayed' }, 'fine'],
    ['pending, its job has just been reserved', anActiveExecution(), { jobState: 'leased' }, 'fine'],
    ['pending, its job is missing', anActiveExecution(), {}, 'enqueue'],
    ['running, leased', aRunningExecution(), { jobState: 'leased', missingMs: LEASE_MS }, 'fine'],
    ['running, listed by its worker', aRunningExecution(), { workerHasIt: true, missingMs: LEASE_MS }, 'fine'],
    ['running, missing for a moment', aRunningExecution(), { missingMs: LEASE_MS - 1 }, 'fine'],
    ['running, missing for a lease duration', aRunningExecution(), { missingMs: LEASE_MS }, 'lost'],
    ['running, its job waits again', aRunningExecution(), { jobState: 'waiting', missingMs: LEASE_MS }, 'lost'],
    ['dead-lettered', anActiveExecution({ status: 'dead_lettered' }), { missingMs: LEASE_MS }, 'fine'],
  ])('%s', (_, run, sighting, verdict) => {
    expect(assess(run, { ...missing, ...sighting }, LEASE_MS)).toBe(verdict);
  });
});

/** The orchestrator's table, as a list. */
class Table extends ActiveExecutions {
  constructor(public runs: readonly ActiveExecution[]) {
    super();
  }

  page(afterId: string | null, limit: number): Promise<readonly ActiveExecution[]> {
    const sorted = this.runs.toSorted((one, other) => (one.execution_id < other.execution_id ? -1 : 1));
    return Promise.resolve(
      sorted.filter(({ execution_id }) => afterId === null || execution_id > afterId).slice(0, limit),
    );
  }
}

function setUp(...runs: ActiveExecution[]) {
  const queue = new InMemoryJobQueue({ userConcurrencyMax: 10_000, ageingIntervalMs: FOR_EVER_MS });
  const issued: unknown[] = [];
  const bus = { execute: (command: unknown): Promise<never> => (issued.push(command), Promise.resolve(null as never)) };
  const table = new Table(runs);
  const reconciler = new Reconciler(table, queue, bus, silentLog, LEASE_MS, UNREPORTED_MS);
  const lookAt = (...times: number[]) =>
    times.reduce<Promise<void>>((before, ms) => before.then(() => reconciler.reconcile(after(ms))), Promise.resolve());
  const held: ReservedJob = { ...jobOf(runs[0]!), leaseToken: runs[0]?.lease_token ?? '', enqueuedAt: 0 };
  return { queue, issued, bus, lookAt, held, reconciler, table };
}

describe('a missing job', () => {
  test('is enqueued again, in the trace of its request', async () => {
    const { queue, issued, lookAt } = setUp(anActiveExecution({ traceparent: TRACEPARENT, priority: 7 }));
    await lookAt(0);
    expect(await queue.reserve({ workerId: WORKER, leaseMs: FOR_EVER_MS, waitMs: 0 })).toMatchObject({
      ...jobOf(anActiveExecution({ priority: 7 })),
      traceparent: TRACEPARENT,
    });
    expect(issued).toEqual([]);
  });

  test('is enqueued again with its time, if it is a retry', async () => {
    const { queue, lookAt } = setUp(anActiveExecution({ attempt: 2, not_before: new Date(Date.now() + FOR_EVER_MS) }));
    await lookAt(0);
    expect(await queue.stats()).toMatchObject({ delayed: 1, waiting: 0 });
  });

  test('is enqueued once, however often it is checked', async () => {
    const { queue, lookAt } = setUp(anActiveExecution());
    await lookAt(0, 1, 2);
    expect(await queue.stats()).toMatchObject({ waiting: 1 });
  });

  test('is withdrawn if the execution had ended, and the table did not show it yet', async () => {
    const { queue, lookAt, table } = setUp(
      anActiveExecution({ attempt: 2, not_before: new Date(Date.now() + FOR_EVER_MS) }),
    );
    await lookAt(0, 1);
    expect(await queue.stats()).toMatchObject({ delayed: 1 });
    table.runs = [];
    await lookAt(2);
    expect(await queue.stats()).toMatchObject({ delayed: 0 });
  });

  test('is withdrawn by a former leader, which then stops checking', async () => {
    const waits = anActiveExecution({ execution_id: deterministicId('waits') });
    const { queue, lookAt, table, reconciler } = setUp(
      anActiveExecution({ execution_id: deterministicId('over') }),
      waits,
    );
    await lookAt(0);
    table.runs = [waits];
    await reconciler.standBy();
    expect(await queue.inspect([jobOf(waits)])).toEqual(['waiting']);
    expect(await queue.stats()).toMatchObject({ waiting: 1 });
  });

  test('is withdrawn after an outage that hid the execution’s end', async () => {
    const { queue, lookAt, table, reconciler } = setUp(anActiveExecution());
    await lookAt(0);
    const { page } = table;
    table.page = () => Promise.reject(new Unavailable('postgres', 'away'));
    await expect(reconciler.standBy()).rejects.toThrow('away');
    Object.assign(table, { page, runs: [] });
    await lookAt(1);
    expect(await queue.stats()).toMatchObject({ waiting: 0 });
  });

  test('is not withdrawn if a worker has its lease by then', async () => {
    const { queue, lookAt, table } = setUp(anActiveExecution());
    await lookAt(0);
    const held = await queue.reserve({ workerId: WORKER, leaseMs: FOR_EVER_MS, waitMs: 0 });
    table.runs = [aRunningExecution({ lease_token: held!.leaseToken })];
    await lookAt(1);
    expect(await queue.stats()).toMatchObject({ leased: 1 });
  });

  test('is found on every page', async () => {
    const runs = Array.from({ length: 2_500 }, (_, n) =>
      anActiveExecution({ execution_id: deterministicId('run', n) }),
    );
    const { queue, lookAt } = setUp(...runs);
    await lookAt(0);
    expect(await queue.stats()).toMatchObject({ waiting: 2_500 });
  });
});

describe('a running attempt', () => {
  const run = aRunningExecution();
  const lost = [{ type: 'LoseAttempt', executionId: run.execution_id, attempt: 1 }];

  test('is unchanged while its lease exists', async () => {
    const { queue, issued, lookAt, held } = setUp(run);
    await queue.restoreLease(held, WORKER, FOR_EVER_MS);
    await lookAt(0, LEASE_MS, 10 * LEASE_MS);
    expect(issued).toEqual([]);
  });

  test('is unchanged while its worker’s heartbeat lists it', async () => {
    const { queue, issued, lookAt, held } = setUp(run);
    await queue.workerHeartbeat({ workerId: WORKER, running: [jobId(held)] }, FOR_EVER_MS);
    await lookAt(0, LEASE_MS, 10 * LEASE_MS);
    expect(issued).toEqual([]);
  });

  test('is lost once both have been missing for a full lease duration', async () => {
    const { issued, lookAt } = setUp(run);
    await lookAt(0, LEASE_MS - 1);
    expect(issued).toEqual([]);
    await lookAt(LEASE_MS);
    expect(issued).toMatchObject(lost);
    expect(issued[0]).toBeInstanceOf(LoseAttempt);
    expect((issued[0] as LoseAttempt).retryContext.now).toEqual(after(LEASE_MS));
  });

  test('is not lost if its worker is alive but does not list it', async () => {
    const { queue, issued, lookAt } = setUp(run);
    await queue.workerHeartbeat({ workerId: WORKER, running: [] }, FOR_EVER_MS);
    await lookAt(0, 1);
    expect(issued).toEqual([]);
    await lookAt(LEASE_MS);
    expect(issued).toMatchObject(lost);
  });

  test('survives a flush: the next heartbeat restores it, and the time starts over', async () => {
    const { queue, issued, lookAt, held } = setUp(run);
    await queue.restoreLease(held, WORKER, FOR_EVER_MS);
    queue.flush();
    await lookAt(0, 3_000);
    await queue.workerHeartbeat({ workerId: WORKER, running: [jobId(held)] }, FOR_EVER_MS);
    await lookAt(6_000);
    queue.flush();
    await lookAt(9_000, 9_000 + LEASE_MS - 1);
    expect(issued).toEqual([]);
  });

  test('gets the full time again after another process has led in between', async () => {
    const { issued, lookAt, reconciler } = setUp(run);
    await lookAt(0);
    await reconciler.standBy();
    await lookAt(10 * LEASE_MS);
    expect(issued).toEqual([]);
  });
});

describe('an outage of Redis', () => {
  test('permits no conclusion, and the lease duration starts over after it', async () => {
    const { queue, issued, lookAt } = setUp(aRunningExecution());
    await lookAt(0);
    const { workers } = queue;
    queue.workers = () => Promise.reject(new Unavailable('redis', 'away'));
    await expect(lookAt(LEASE_MS)).rejects.toThrow('away');
    queue.workers = workers;
    await lookAt(2 * LEASE_MS, 3 * LEASE_MS - 1);
    expect(issued).toEqual([]);
    await lookAt(3 * LEASE_MS);
    expect(issued).toHaveLength(1);
  });

  test('between two queries permits no conclusion either', async () => {
    const { queue, issued, lookAt } = setUp(aRunningExecution());
    await lookAt(0);
    queue.inspect = () => Promise.reject(new Unavailable('redis', 'away'));
    await expect(lookAt(10 * LEASE_MS)).rejects.toThrow('away');
    expect(issued).toEqual([]);
  });
});

describe('an external execution', () => {
  const elsewhere = { executor: 'external', lease_token: null } as const;

  test('ends at its timeout', async () => {
    const run = aRunningExecution({ ...elsewhere, due_at: after(60_000) });
    const { queue, issued, lookAt } = setUp(run);
    await lookAt(60_000);
    expect(issued).toEqual([]);
    await lookAt(60_001);
    expect(issued).toMatchObject([{ type: 'ExpireExternalExecution', executionId: run.execution_id, attempt: 1 }]);
    expect(await queue.stats()).toMatchObject({ waiting: 0 });
  });

  test('ends if nothing is reported', async () => {
    const run = anActiveExecution({ ...elsewhere });
    const { queue, issued, lookAt } = setUp(run);
    await lookAt(UNREPORTED_MS);
    expect(issued).toEqual([]);
    await lookAt(UNREPORTED_MS + 1);
    expect(issued).toMatchObject([{ type: 'ExpireUnreportedExecution', executionId: run.execution_id }]);
    expect(await queue.stats()).toMatchObject({ waiting: 0 });
  });

  test('that was taken over from the embedded executor ends at its timeout', async () => {
    const { issued, lookAt } = setUp(aRunningExecution({ lease_token: null, due_at: after(60_000) }));
    await lookAt(60_001);
    expect(issued).toMatchObject([{ type: 'ExpireExternalExecution' }]);
  });
});

describe('a command', () => {
  const overdue = { executor: 'external', lease_token: null, due_at: NOW } as const;
  const two = [
    aRunningExecution({ execution_id: deterministicId('one'), ...overdue }),
    aRunningExecution({ execution_id: deterministicId('two'), ...overdue }),
  ];
  const failing = (error: Error) => {
    const all = setUp(...two);
    all.bus.execute = (command) => (all.issued.push(command), Promise.reject(error));
    return all;
  };

  test('that is refused was based on a lagging table', async () => {
    const { issued, lookAt } = failing(new DomainError('execution_ended', 'Execution has already ended'));
    await lookAt(FOR_EVER_MS);
    expect(issued).toHaveLength(2);
  });

  test('that fails for one execution does not delay the others', async () => {
    const { issued, lookAt } = failing(new Error('a stream that cannot be read'));
    await lookAt(FOR_EVER_MS);
    expect(issued).toHaveLength(2);
  });

  test('that meets an outage ends the check', async () => {
    const { issued, lookAt } = failing(new Unavailable('event-store', 'away'));
    await expect(lookAt(FOR_EVER_MS)).rejects.toThrow('away');
    expect(issued).toHaveLength(1);
  });
});
