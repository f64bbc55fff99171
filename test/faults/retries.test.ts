import { DEAD_LETTERS, PROJECTOR } from '../../src/composition/postgres-options.js';
import { ApiClient, ok, withId } from '../support/api-client.js';
import { caughtUp } from '../support/caught-up.js';
import { dlqOf, noticesOf } from '../support/dead-letter-notices.js';
import { eventually } from '../support/eventually.js';
import { EMPTY_QUEUE, expectHealed, queueOf, QUICK, typesOf } from '../support/faults.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
let client: ApiClient;

beforeAll(async () => {
  service = await startTestService({ ...QUICK, SERVER_OWN_WRITES_TIMEOUT: '15s' });
  client = await ApiClient.register(() => service.url);
});

afterAll(() => service.close());

const failing = (retry: Record<string, unknown>) => ({
  script_type: 'bash' as const,
  script_content: 'echo trying; exit 3',
  retry: {
    max_attempts: 2,
    initial_delay_ms: 0,
    backoff_factor: 1,
    max_delay_ms: 0,
    retry_on: ['exit_code' as const],
    ...retry,
  },
});

const deadLetters = async (): Promise<string[]> => {
  await caughtUp(service.processes[0]!.infra.pool, PROJECTOR);
  const { dead_letters } = await ok(client.api.GET('/api/v1/dead-letters'));
  return dead_letters.map(({ id }) => id);
};

test('no attempt left: a dead letter is announced, listed, redriven, and finally discarded', async () => {
  const { id, ...dead } = await client.run(failing({}));
  expect(dead).toMatchObject({ status: 'failed', return_code: 3, attempt: 2, dead_lettered: true, stdout: 'trying\n' });
  const oneRun = ['ExecutionAttemptStarted', 'ExecutionAttemptFailed', 'ExecutionRetryScheduled'];
  const lastRun = ['ExecutionAttemptStarted', 'ExecutionAttemptFailed', 'ExecutionDeadLettered'];
  expect(await typesOf(client, id)).toEqual(['ExecutionRequested', ...oneRun, ...lastRun]);
  expect(await deadLetters()).toEqual([id]);
  expect(await noticesOf(service)).toMatchObject([
    { stream: `execution-${id}`, type: 'ExecutionDeadLettered', data: { attempt: 2, reason: 'exit_code' } },
  ]);

  const redriven = await ok(client.api.POST('/api/v1/dead-letters/{id}/redrive', withId(id)));
  expect(redriven).toMatchObject({ id, dead_lettered: false });
  // The attempt numbers continue, the budget starts over.
  const again = await client.follow(id, ({ attempt, dead_lettered }) => attempt === 4 && dead_lettered);
  expect(again).toMatchObject({ status: 'failed', attempt: 4, dead_lettered: true });
  expect(await typesOf(client, id)).toEqual([
    'ExecutionRequested',
    ...oneRun,
    ...lastRun,
    'ExecutionRedriven',
    ...oneRun,
    ...lastRun,
  ]);
  expect(await noticesOf(service)).toHaveLength(2);

  await ok(client.api.DELETE('/api/v1/dead-letters/{id}', withId(id)));
  expect(await deadLetters()).toEqual([]);
  expect(await client.request('POST', `/dead-letters/${id}/redrive`)).toMatchObject({ status: 409 });
  expect(await client.execution(id)).toMatchObject({ status: 'failed' });
  await expectHealed(service);
});

test('without a checkpoint, as before an upgrade, all dead letters of the log are announced', async () => {
  const told = await noticesOf(service);
  const [process] = service.processes;
  await (await process!.infra.nats.manager()).streams.delete(dlqOf(service));
  await service.stop(process!);
  await service.database.ownerPool.query('delete from read.checkpoints where subscription = $1', [DEAD_LETTERS]);
  await service.start();

  expect(await noticesOf(service)).toEqual(told);
});

test('a delayed retry is pending with its time; a cancel removes it from the queue', async () => {
  const hour = { initial_delay_ms: 3_600_000, max_delay_ms: 3_600_000 };
  const task = await client.createTask(failing(hour));
  const { id } = await client.start(task.id);

  const waiting = await client.follow(
    id,
    ({ status, next_attempt_at }) => status === 'pending' && next_attempt_at !== null,
  );
  expect(waiting).toMatchObject({ attempt: 1, dead_lettered: false, termination_reason: 'exit_code' });
  expect(await ok(client.api.GET('/api/v1/tasks/{id}', withId(task.id)))).toMatchObject({ status: 'running' });
  await eventually(async () =>
    expect(await queueOf(service).stats()).toMatchObject({ delayed: 1, waiting: 0, leased: 0 }),
  );

  expect(await client.request('DELETE', `/executions/${id}`)).toMatchObject({ status: 200 });
  await eventually(async () => expect(await queueOf(service).stats()).toMatchObject(EMPTY_QUEUE));
  expect(await client.execution(id)).toMatchObject({ status: 'cancelled', next_attempt_at: null });
  await expectHealed(service);
});

test('a reason outside the retry policy fails the execution', async () => {
  const execution = await client.run(failing({ retry_on: ['infrastructure'] }));
  expect(execution).toMatchObject({ status: 'failed', return_code: 3, attempt: 1, dead_lettered: false });
  expect(await deadLetters()).toEqual([]);
  await expectHealed(service);
});
