import { ApiClient } from '../support/api-client.js';
import { EventReader } from '../support/event-reader.js';
import { eventually } from '../support/eventually.js';
import { type FaultyProcess, startProcess } from '../support/faults-process.js';
import {
  containersOf,
  expectHealed,
  historyOf,
  programsRun,
  queueOf,
  QUICK,
  startRuns,
  typesOf,
} from '../support/faults.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
let client: ApiClient;
let workers: FaultyProcess[];

const WORKER = { VOIDRUNNER_ROLES: 'worker', WORKER_POOL_SIZE: '1', WORKER_SHUTDOWN_TIMEOUT: '200ms' };
const retry = {
  max_attempts: 3,
  initial_delay_ms: 0,
  backoff_factor: 1,
  max_delay_ms: 0,
  retry_on: ['infrastructure' as const],
};

beforeAll(async () => {
  service = await startTestService({ ...QUICK, VOIDRUNNER_ROLES: 'api,relay,projector,orchestrator,sealer' });
  client = await ApiClient.register(() => service.url);
  workers = await Promise.all([1, 2, 3].map(() => startProcess(service, WORKER)));
});

afterAll(async () => {
  await Promise.all(workers.filter(({ alive }) => alive).map((worker) => worker.terminate()));
  await service.close();
});

const LOST_ONCE = [
  'ExecutionRequested',
  'ExecutionAttemptStarted',
  'ExecutionAttemptFailed',
  'ExecutionRetryScheduled',
  'ExecutionAttemptStarted',
  'ExecutionSucceeded',
];

const heartbeats = async (): Promise<number> => (await queueOf(service).workers()).length;

/** The process that runs an execution's latest attempt. */
async function holderOf(executionId: string): Promise<FaultyProcess> {
  const started = (await historyOf(client, executionId)).findLast(({ type }) => type === 'ExecutionAttemptStarted');
  const name = String(started?.data['worker']);
  return workers.find(({ pid }) => name.includes(`-${pid}-`))!;
}

test('a suspended worker loses its attempt, and its later report is refused', async () => {
  const [run] = await startRuns(client, 1, { seconds: 6, task: { retry } });
  await programsRun(service, 1);
  const frozen = await holderOf(run!.id);

  frozen.freeze();
  await client.follow(run!.id, ({ attempt, status }) => attempt === 2 && status === 'running');
  frozen.thaw();

  expect(await client.follow(run!.id)).toMatchObject({ status: 'completed', attempt: 2, stdout: 'word 0\n' });
  expect(await holderOf(run!.id)).not.toBe(frozen);
  await expectHealed(service);
  expect(await typesOf(client, run!.id)).toEqual(LOST_ONCE);
  // It works again.
  await eventually(async () => expect(await heartbeats()).toBe(3));
});

test('a killed worker loses its own attempts only', async () => {
  const [lost, healthy] = await startRuns(client, 2, { seconds: 6, task: { retry } });
  await programsRun(service, 2);

  await (await holderOf(lost!.id)).kill();

  expect(await client.follow(healthy!.id)).toMatchObject({ status: 'completed', attempt: 1, stdout: 'word 1\n' });
  expect(await client.follow(lost!.id)).toMatchObject({ status: 'completed', attempt: 2, stdout: 'word 0\n' });
  expect(await typesOf(client, lost!.id)).toEqual(LOST_ONCE);
  const failed = (await historyOf(client, lost!.id)).find(({ type }) => type === 'ExecutionAttemptFailed');
  expect(failed?.data).toMatchObject({ attempt: 1, reason: 'infrastructure' });
  // The dead worker's container, too: another worker has removed it.
  await expectHealed(service);
});

test('a worker that is killed between two tests: the whole suite is run again', async () => {
  const tests = ['0', '6', '0'].map((stdin) => ({ stdin, expected_stdout: 'slept' }));
  const script = { script_type: 'bash', script_content: 'read seconds; sleep $seconds; echo slept' } as const;
  const { id: taskId } = await client.createTask({ ...script, retry, tests });
  const { id } = await client.start(taskId);
  const authorization = `Bearer ${client.accessToken}`;
  const events = await EventReader.of(`${service.url}/api/v1/executions/${id}/events`, { authorization });
  while ((await events.next()).event !== 'test') continue;

  await (await holderOf(id)).kill();

  expect(await client.follow(id)).toMatchObject({ status: 'completed', attempt: 2, verdict: 'accepted', score: 3 });
  await events.rest();
  const seen = events.received.map(({ event, data }) => (event === 'test' ? (data as { index: number }).index : event));
  expect(seen).toEqual([...LOST_ONCE.slice(0, 2), 0, ...LOST_ONCE.slice(2, 5), 0, 1, 2, ...LOST_ONCE.slice(5)]);
  await expectHealed(service);
  workers.push(await startProcess(service, WORKER));
});

test('a worker that shuts down releases its attempt, which is not counted', async () => {
  const [run] = await startRuns(client, 1, { seconds: 6 });
  await programsRun(service, 1);
  const before = await containersOf(service);

  expect(await (await holderOf(run!.id)).terminate()).toBe(0);

  expect(await containersOf(service)).not.toEqual(expect.arrayContaining(before));
  expect(await client.follow(run!.id)).toMatchObject({ status: 'completed', attempt: 1, stdout: 'word 0\n' });
  expect(await typesOf(client, run!.id)).toEqual([
    'ExecutionRequested',
    'ExecutionAttemptStarted',
    'ExecutionAttemptReleased',
    'ExecutionAttemptStarted',
    'ExecutionSucceeded',
  ]);
  await expectHealed(service);
});
