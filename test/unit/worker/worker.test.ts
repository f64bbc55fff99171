import { Unavailable } from '../../../src/kernel/errors.js';
import { deterministicId } from '../../../src/kernel/uuid.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { jobId } from '../../../src/queue/job-queue.js';
import { OrphanSweep } from '../../../src/worker/orphan-sweep.js';
import { RunWatch } from '../../../src/worker/run-watch.js';
import { Worker, type WorkerOptions } from '../../../src/worker/worker.js';
import { AttemptWorld, LEASE_MS } from '../../support/attempt-world.js';
import * as command from '../../support/builders/execution-commands.js';
import { WORKER } from '../../support/builders/executions.js';
import { EXECUTION_ID } from '../../support/builders/tasks.js';
import { eventually } from '../../support/eventually.js';
import { anOutcome, exits, runsUntilKilled } from '../../support/scripted-sandbox.js';
import { StagedStreamVersions } from '../../support/staged-event-store.js';
import { InMemoryWorkerSessions } from '../../support/worker-sessions.js';

const JOB = jobId({ executionId: EXECUTION_ID, attempt: 1 });

let world: AttemptWorld;
let worker: Worker;
let errors: unknown[];
let session: { isOpen: boolean; run(): Promise<void> };

function start(options: Partial<WorkerOptions> = {}): void {
  const { queue, sandbox, runner: attempts } = world;
  const { store } = world.lifecycle;
  const log = { ...silentLog, error: (facts: unknown) => void errors.push(facts) } as typeof silentLog;
  worker = new Worker(
    { workerId: WORKER, slots: 2, leaseMs: LEASE_MS, heartbeatMs: 5, shutdownMs: 0, ...options },
    {
      queue,
      sandbox,
      attempts,
      watch: new RunWatch(store, new StagedStreamVersions(store)),
      orphans: new OrphanSweep(sandbox, queue, new InMemoryWorkerSessions(), log, LEASE_MS),
      session,
      log,
    },
  );
  worker.start();
}

beforeEach(() => {
  world = new AttemptWorld();
  errors = [];
  session = { isOpen: true, run: () => Promise.resolve() };
});
afterEach(async () => {
  await worker.stop();
});

const ended = (type: string) => eventually(async () => expect(await world.newest(1)).toEqual([type]));
const running = (count: number) => eventually(() => expect(world.sandbox.running).toBe(count));
const heartbeat = async () => (await world.queue.workers())[0];

describe('a worker', () => {
  test('runs queued jobs, and reports what it has done', async () => {
    await world.waiting();
    start();
    await ended('ExecutionSucceeded');
    await eventually(async () =>
      expect(await heartbeat()).toMatchObject({
        workerId: WORKER,
        running: [],
        figures: { slots: 2, healthy: true, succeeded: 1 },
      }),
    );
    expect(await world.jobState()).toBe('missing');
    expect(errors).toEqual([]);
  });

  test('runs as many jobs at a time as it has slots', async () => {
    const ids = ['one', 'two', 'three', 'four', 'five'].map((name) => deterministicId(name));
    for (const id of ids) await world.another(id);
    const waiting = new Set<() => void>();
    world.sandbox.program = async () => {
      await new Promise<void>((go) => waiting.add(go));
      return anOutcome();
    };
    start();
    await running(2);
    await eventually(async () => expect((await heartbeat())?.running).toHaveLength(2));
    await eventually(() => {
      for (const go of waiting) go();
      expect(world.sandbox.jobs).toHaveLength(ids.length);
    });
    await eventually(() => {
      for (const go of waiting) go();
      expect(world.sandbox.running).toBe(0);
    });
    expect(world.sandbox.runningMax).toBe(2);
  });

  test('reserves nothing while the engine is unavailable', async () => {
    await world.waiting();
    world.sandbox.healthy = false;
    start();
    await eventually(async () => expect(await heartbeat()).toMatchObject({ figures: { healthy: false } }));
    expect(await world.jobState()).toBe('waiting');
    world.sandbox.healthy = true;
    await ended('ExecutionSucceeded');
  });

  test('reserves nothing before its session is open, and sends frequent heartbeats', async () => {
    await world.waiting();
    session.isOpen = false;
    start({ heartbeatMs: 3_600_000 });
    const first = await eventually(async () => {
      const { beat } = (await heartbeat())!;
      expect(beat).toBeGreaterThan(0);
      return beat!;
    });
    await eventually(async () => expect((await heartbeat())?.beat).toBeGreaterThan(first + 1));
    expect(await world.jobState()).toBe('waiting');
    session.isOpen = true;
    await ended('ExecutionSucceeded');
  });

  test('continues after an outage of Redis', async () => {
    await world.waiting();
    const { reserve } = world.queue;
    let calls = 0;
    world.queue.reserve = (request) => {
      calls += 1;
      return calls <= 2 ? Promise.reject(new Unavailable('redis', 'away')) : reserve.call(world.queue, request);
    };
    start();
    await ended('ExecutionSucceeded');
    expect(errors).toEqual([]);
  });

  test('continues after a bug in one run, and logs it', async () => {
    await world.waiting();
    await world.another(deterministicId('another'));
    world.sandbox.program = (job, signal) =>
      job.executionId === EXECUTION_ID ? Promise.reject(new TypeError('a bug')) : exits(0)(job, signal);
    start({ slots: 1 });
    await eventually(() => expect(world.sandbox.jobs).toHaveLength(2));
    expect(errors).toMatchObject([{ err: { message: 'a bug' } }]);
  });
});

describe('a run under way', () => {
  beforeEach(async () => {
    await world.waiting();
    world.sandbox.program = runsUntilKilled();
  });

  test('ends soon after a cancel', async () => {
    start();
    await running(1);
    await world.lifecycle.bus.execute(command.cancel());
    await ended('ExecutionCancelled');
    await eventually(async () => expect(await world.jobState()).toBe('missing'));
  });

  test('is stopped without a report if the log says that the attempt is lost', async () => {
    start();
    await running(1);
    await world.lifecycle.bus.execute(command.lose());
    await running(0);
    expect(await world.newest(1)).toEqual(['ExecutionRetryScheduled']);
  });

  test('has its lease restored after a flush, and ends normally', async () => {
    start();
    await running(1);
    world.queue.flush();
    await eventually(async () => expect(await world.jobState()).toBe('leased'));
    await eventually(async () => expect((await heartbeat())?.running).toEqual([JOB]));
    await world.lifecycle.bus.execute(command.cancel());
    await ended('ExecutionCancelled');
    await eventually(async () => expect(await world.jobState()).toBe('missing'));
  });

  test('has its lease renewed and heartbeats sent while the engine responds slowly', async () => {
    start();
    await running(1);
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    world.sandbox.health = () => answered.then(() => ({ healthy: true, detail: 'slow' }));
    world.queue.flush();
    await eventually(async () => expect(await world.jobState()).toBe('leased'));
    await eventually(async () =>
      expect(await heartbeat()).toMatchObject({ running: [JOB], figures: { healthy: true } }),
    );
    answer();
  });

  test('continues if the queue wrongly leased the job to another worker: the log decides', async () => {
    start();
    await running(1);
    world.queue.flush();
    const other = {
      executionId: EXECUTION_ID,
      attempt: 1,
      userId: 'user',
      priority: 5,
      leaseToken: 'other',
      enqueuedAt: 0,
    };
    await world.queue.restoreLease(other, 'test.worker-2', LEASE_MS);
    await eventually(async () => expect((await heartbeat())?.running).toEqual([JOB]));
    expect(world.sandbox.running).toBe(1);
  });
});

test('a late heartbeat does not restore the lease of a completed job', async () => {
  await world.waiting();
  let end = (): void => undefined;
  world.sandbox.program = async () => {
    await new Promise<void>((go) => (end = go));
    return anOutcome();
  };
  let asked = (): void => undefined;
  const onItsWay = new Promise<void>((resolve) => (asked = resolve));
  let answer = (): void => undefined;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  const restored: unknown[] = [];
  world.queue.heartbeat = async () => {
    asked();
    await answered;
    return false;
  };
  world.queue.restoreLease = (job) => Promise.resolve(restored.push(job) > 0);
  start();
  await onItsWay;
  end();
  await eventually(async () => expect(await world.jobState()).toBe('missing'));
  answer();
  await eventually(async () => expect(await heartbeat()).toMatchObject({ figures: { succeeded: 1 } }));
  expect(restored).toEqual([]);
});

describe('at shutdown', () => {
  test('lets a run finish in time', async () => {
    await world.waiting();
    let end = (): void => undefined;
    world.sandbox.program = async () => {
      await new Promise<void>((go) => (end = go));
      return anOutcome();
    };
    start({ shutdownMs: 60_000 });
    await running(1);
    const stopped = worker.stop();
    end();
    await stopped;
    expect(await world.newest(1)).toEqual(['ExecutionSucceeded']);
  });

  test('releases the attempt of a run that does not, with its job', async () => {
    await world.waiting();
    world.sandbox.program = runsUntilKilled();
    start();
    await running(1);
    await worker.stop();
    expect(await world.newest(1)).toEqual(['ExecutionAttemptReleased']);
    expect(await world.jobState()).toBe('waiting');
  });

  test('releases the attempt of a run that has to be killed as well', async () => {
    await world.waiting();
    let end = (): void => undefined;
    const forced = new Promise<void>((resolve) => (end = resolve));
    world.sandbox.program = async () => {
      await forced;
      return anOutcome({ reason: 'cancelled', returnCode: null });
    };
    world.sandbox.close = () => Promise.resolve(end());
    start({ releaseTimeoutMs: 500 });
    await running(1);
    await worker.stop();
    expect(await world.newest(1)).toEqual(['ExecutionAttemptReleased']);
    expect(await world.jobState()).toBe('waiting');
  });

  test('leaves no container and no heartbeat, and reserves no job', async () => {
    start();
    await eventually(async () => expect(await heartbeat()).toBeDefined());
    await worker.stop();
    await world.waiting();
    expect(world.sandbox.closed).toBe(true);
    expect(await world.queue.workers()).toEqual([]);
    expect(await world.jobState()).toBe('waiting');
  });
});
