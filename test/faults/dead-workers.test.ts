import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { type FaultyProcess, startProcess } from '../support/faults-process.js';
import {
  cutFromPostgres,
  expectHealed,
  expectUndisturbed,
  historyOf,
  noProgramRuns,
  programsRun,
  QUICK,
  startRuns,
} from '../support/faults.js';
import { prepareTestService, type TestService } from '../support/service.js';

/** A service that waited for a lease to expire, or for a missing heartbeat, would wait longer than any test. */
const NO_LEASE_RUNS_OUT = { ...QUICK, QUEUE_LEASE_DURATION: '1h' };
const SLOTS = 2;
/** A user's maximum at a time: the dead workers hold all of them. */
const USER_MAX = 4;

const retry = {
  max_attempts: 3,
  initial_delay_ms: 0,
  backoff_factor: 1,
  max_delay_ms: 0,
  retry_on: ['infrastructure'],
};

let service: TestService;
let client: ApiClient;
const processes: FaultyProcess[] = [];

const start = async (roles: string): Promise<FaultyProcess> => {
  const settings = { VOIDRUNNER_ROLES: roles, WORKER_POOL_SIZE: String(SLOTS), WORKER_SHUTDOWN_TIMEOUT: '200ms' };
  const process = await startProcess(service, settings);
  processes.push(process);
  return process;
};
const alive = () => processes.filter((process) => process.alive);
const startAll = async (): Promise<void> => {
  await Promise.all([start('api,relay,projector,orchestrator,sealer'), start('worker'), start('worker')]);
};

beforeAll(async () => {
  service = await prepareTestService({
    ...NO_LEASE_RUNS_OUT,
    WORKER_MAX_USER_CONCURRENT_TASKS: String(USER_MAX),
  });
  await startAll();
  client = await ApiClient.register(() => alive().find(({ url }) => url !== null)!.url!);
});

afterAll(async () => {
  await Promise.all(alive().map((process) => process.terminate()));
  await service.close();
});

async function holderOf(executionId: string): Promise<FaultyProcess> {
  const started = (await historyOf(client, executionId)).findLast(({ type }) => type === 'ExecutionAttemptStarted');
  return processes.find(({ pid }) => String(started?.data['worker']).includes(`-${pid}-`))!;
}

test('workers whose sessions are cut are not treated as dead', async () => {
  const runs = await startRuns(client, 2, { seconds: 6, task: { retry } });
  await programsRun(service, 2);
  expect(await cutFromPostgres(service)).toBeGreaterThan(0);
  await expectUndisturbed(client, runs);
});

test('a killed worker’s attempt is retried before its lease expires, and its program has ended', async () => {
  const [run] = await startRuns(client, 1, { seconds: 6, task: { retry } });
  await programsRun(service, 1);
  const holder = await holderOf(run!.id);
  // No other worker can run it, or sweep.
  const others = alive().filter(({ url, pid }) => url === null && pid !== holder.pid);
  await Promise.all(others.map((worker) => worker.terminate()));
  await holder.kill();
  await noProgramRuns(service);
  await eventually(async () => {
    const types = (await historyOf(client, run!.id)).map(({ type }) => type);
    expect(types).toEqual([
      'ExecutionRequested',
      'ExecutionAttemptStarted',
      'ExecutionAttemptFailed',
      'ExecutionRetryScheduled',
    ]);
  });
  await Promise.all([start('worker'), start('worker')]);
  expect(await client.follow(run!.id)).toMatchObject({ status: 'completed', attempt: 2, stdout: 'word 0\n' });
  // The dead worker's container is gone as well.
  await expectHealed(service);
});

test('after all processes were killed and restarted, all work continues', async () => {
  const runs = await startRuns(client, USER_MAX + 2, { seconds: 4, task: { retry } });
  await programsRun(service, USER_MAX);
  await Promise.all(alive().map((process) => process.kill()));
  await startAll();
  const ends = await Promise.all(runs.map(({ id }) => client.follow(id)));
  expect(ends.map(({ status, stdout }) => ({ status, stdout }))).toEqual(
    runs.map((_, number) => ({ status: 'completed', stdout: `word ${number}\n` })),
  );
  await expectHealed(service);
});
