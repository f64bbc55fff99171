import type { ExecutionView } from '../../src/tasks/api/execution-schemas.js';
import { ApiClient, hasEnded } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import {
  expectNoContainers,
  expectHealed,
  isRunning,
  programsRun,
  queueOf,
  QUICK,
  startRuns,
  typesOf,
  userPrograms,
} from '../support/faults.js';
import { startTestService, type TestService } from '../support/service.js';

const LOOKS_BETWEEN = 15;

let service: TestService;
let client: ApiClient;

beforeAll(async () => {
  service = await startTestService({ ...QUICK, SERVER_OWN_WRITES_TIMEOUT: '15s', QUEUE_LEASE_DURATION: '5s' });
  client = await ApiClient.register(() => service.url);
});

afterAll(() => service.close());

const cancel = (id: string) => client.request('DELETE', `/executions/${id}`);

test('while pending: it ends at once and never runs', async () => {
  const blocking = await startRuns(client, 2, { seconds: 600 });
  await programsRun(service, 2);
  const [waiting] = await startRuns(client, 1, { seconds: 0 });

  expect(await cancel(waiting!.id)).toMatchObject({ status: 200 });
  expect(await client.execution(waiting!.id)).toMatchObject({ status: 'cancelled', attempt: 0 });
  expect(await cancel(waiting!.id)).toMatchObject({ status: 409 });
  await eventually(async () => expect(await queueOf(service).stats()).toMatchObject({ waiting: 0, leased: 2 }));

  await Promise.all(blocking.map(({ id }) => cancel(id)));
  await Promise.all(blocking.map(({ id }) => client.follow(id)));
  expect(await typesOf(client, waiting!.id)).toEqual(['ExecutionRequested', 'ExecutionCancelled']);
  await expectHealed(service);
});

test('while running: every process is dead when the end is visible, whatever the program does', async () => {
  const script_content = [
    'import os, signal, sys, time',
    'for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)',
    'print("before", flush=True)',
    'if os.fork() == 0: os.setsid()',
    'os.execvp("sleep", ["sleep", "600"])',
  ].join('\n');
  const task = await client.createTask({ script_type: 'python', script_content });
  const { id } = await client.start(task.id);
  await programsRun(service, 2);

  expect(await cancel(id)).toMatchObject({ status: 200 });
  // A repeat before the end is neither an error nor a second event.
  expect([200, 409]).toContain((await cancel(id)).status);
  const end = await client.follow(id);

  expect(await userPrograms(service)).toEqual([]);
  await expectNoContainers(service);
  expect(end).toMatchObject({ status: 'cancelled', termination_reason: 'cancelled', stdout: 'before\n', attempt: 1 });
  expect(await typesOf(client, id)).toEqual([
    'ExecutionRequested',
    'ExecutionAttemptStarted',
    'ExecutionCancellationRequested',
    'ExecutionCancelled',
  ]);
  expect(await client.ok('GET', `/tasks/${task.id}`)).toMatchObject({ status: 'pending' });
  await expectHealed(service);
});

test('while its container is being created: it never runs for long', async () => {
  const task = await client.createTask({ script_type: 'bash', script_content: 'sleep 600' });
  for (let round = 0; round < 3; round += 1) {
    const { id } = await client.start(task.id);
    await client.follow(id, isRunning);

    expect(await cancel(id)).toMatchObject({ status: 200 });

    expect(await client.follow(id)).toMatchObject({ status: 'cancelled' });
    await expectNoContainers(service);
  }
  await expectHealed(service);
});

test('racing the end: one of the two wins, and the other is refused', async () => {
  const runs = await startRuns(client, 8, { seconds: 0 });
  const outcomes = await Promise.all(runs.map((run, number) => raceTheEnd(run, number)));

  for (const { answer, execution } of outcomes) {
    expect({ answer, status: execution.status }).toEqual(
      answer === 200 ? { answer, status: 'cancelled' } : { answer: 409, status: 'completed' },
    );
  }
  await expectHealed(service);
});

/** Some as soon as the execution is seen running, the others later and later; each check takes time. */
async function raceTheEnd({ id }: ExecutionView, looks: number) {
  await client.follow(id, (execution) => isRunning(execution) || hasEnded(execution));
  for (let look = 0; look < looks * LOOKS_BETWEEN; look += 1) await client.execution(id);
  const { status: answer } = await cancel(id);
  return { answer, execution: await client.follow(id) };
}
