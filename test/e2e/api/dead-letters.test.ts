import { randomUUID } from 'node:crypto';

import { type CreateTask, type Execution, nextCursorOf, ok, withId } from '../../support/api-client.js';
import { Api, type Person } from './support/api.js';
import { startAttempt } from './support/attempts.js';

const ONE_ATTEMPT: Partial<CreateTask> = { retry: { max_attempts: 1, retry_on: ['exit_code'] } };

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start();
  ada = await api.register();
});
afterAll(() => api.close());

async function deadLetter(who = ada): Promise<Execution> {
  const run = await who.start((await who.createTask(ONE_ATTEMPT)).id);
  await (await startAttempt(api, run.id)).fail(3);
  const dead = await who.client.follow(run.id, ({ dead_lettered }) => dead_lettered);
  await api.listsCaughtUp();
  return dead;
}

const typesOf = async (id: string): Promise<string[]> =>
  (await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(id)))).events.map(({ type }) => type);

test('an execution without attempts left is failed and a dead letter', async () => {
  const dead = await deadLetter();
  expect(dead).toMatchObject({ status: 'failed', return_code: 3, dead_lettered: true, attempt: 1 });
  expect(await ok(ada.api.GET('/api/v1/dead-letters/{id}', withId(dead.id)))).toEqual(dead);
  expect((await ok(ada.api.GET('/api/v1/dead-letters'))).dead_letters).toContainEqual({
    ...dead,
    stdout: null,
    stderr: null,
  });
  expect(await ada.task(dead.task_id)).toMatchObject({ status: 'failed' });
});

test('dead letters are listed by offset and by cursor, newest first', async () => {
  const bob = await api.register();
  const ids = [];
  for (let count = 0; count < 3; count++) ids.unshift((await deadLetter(bob)).id);
  await bob.startExternal();
  const idsOf = (page: { dead_letters: { id: string }[] }) => page.dead_letters.map(({ id }) => id);
  const page = (query: { limit?: number; offset?: number; cursor?: string }) =>
    ok(bob.api.GET('/api/v1/dead-letters', { params: { query } }));
  const all = await page({});
  expect([idsOf(all), all]).toMatchObject([ids, { total: 3 }]);
  expect(idsOf(await page({ limit: 1, offset: 2 }))).toEqual([ids[2]]);
  const first = await page({ limit: 2, cursor: '' });
  expect(idsOf(first)).toEqual(ids.slice(0, 2));
  expect(idsOf(await page({ limit: 2, cursor: nextCursorOf(first) }))).toEqual([ids[2]]);
});

test('redrive runs the execution again: attempts count on, with a new budget', async () => {
  const dead = await deadLetter();
  const redriven = await ok(ada.api.POST('/api/v1/dead-letters/{id}/redrive', withId(dead.id)));
  expect(redriven).toMatchObject({ id: dead.id, status: 'pending', dead_lettered: false });
  expect((await ada.api.GET('/api/v1/dead-letters/{id}', withId(dead.id))).error!.error).toBe('Dead letter not found');
  expect(await ada.task(dead.task_id)).toMatchObject({ status: 'running' });

  const again = await ada.api.POST('/api/v1/dead-letters/{id}/redrive', withId(dead.id));
  expect(again.error).toMatchObject({ status: 409, error: 'Execution is not dead-lettered' });
  await (await startAttempt(api, dead.id, 2)).fail(4);
  const twice = await ada.client.follow(dead.id, ({ dead_lettered }) => dead_lettered);
  expect(twice).toMatchObject({ status: 'failed', return_code: 4, attempt: 2 });
  const attempt = ['ExecutionAttemptStarted', 'ExecutionAttemptFailed', 'ExecutionDeadLettered'];
  expect(await typesOf(dead.id)).toEqual(['ExecutionRequested', ...attempt, 'ExecutionRedriven', ...attempt]);
});

test('discard removes the dead letter and keeps the execution', async () => {
  const dead = await deadLetter();
  const discarded = await ok(ada.api.DELETE('/api/v1/dead-letters/{id}', withId(dead.id)));
  expect(discarded).toEqual({ message: 'Dead letter discarded successfully' });
  expect((await ada.api.GET('/api/v1/dead-letters/{id}', withId(dead.id))).response.status).toBe(404);
  expect((await ok(ada.api.GET('/api/v1/dead-letters'))).dead_letters).not.toContainEqual(
    expect.objectContaining({ id: dead.id }),
  );
  expect(await ada.execution(dead.id)).toMatchObject({ status: 'failed' });
  expect((await typesOf(dead.id)).at(-1)).toBe('ExecutionDeadLetterDiscarded');

  const head = await api.head();
  for (const [method, path] of [
    ['DELETE', `/dead-letters/${dead.id}`],
    ['POST', `/dead-letters/${dead.id}/redrive`],
  ] as const) {
    const { status, body } = await ada.send(method, path);
    expect([method, status, body.error]).toEqual([method, 409, 'Dead letter has been discarded']);
  }
  expect(await api.head()).toBe(head);
});

test('redrive is refused at max_parallel and after the task is deleted', async () => {
  const busy = await deadLetter();
  const other = await ada.start(busy.task_id, { executor: 'external' });
  const head = await api.head();
  const refused = await ada.api.POST('/api/v1/dead-letters/{id}/redrive', withId(busy.id));
  expect(refused.error).toMatchObject({ status: 409, error: 'Task is already running' });
  expect(await api.head()).toBe(head);
  await ada.cancel(other.id);
  await ok(ada.api.DELETE('/api/v1/tasks/{id}', withId(busy.task_id)));
  const gone = await ada.api.POST('/api/v1/dead-letters/{id}/redrive', withId(busy.id));
  expect(gone.error).toMatchObject({ status: 409, error: 'Task has been deleted' });
});

test('an execution that is not a dead letter is refused', async () => {
  const run = await ada.startExternal();
  expect((await ada.send('GET', `/dead-letters/${run.id}`)).body.error).toBe('Dead letter not found');
  expect((await ada.send('DELETE', `/dead-letters/${run.id}`)).status).toBe(409);
  expect((await ada.send('POST', `/dead-letters/${randomUUID()}/redrive`)).body.error).toBe('Execution not found');
  expect((await ada.send('GET', '/dead-letters/x')).body.error).toBe('Invalid execution ID format');
});

test('users see their own dead letters; an admin sees everyone’s', async () => {
  const [bob, admin] = [await api.register(), await api.registerAdmin()];
  const dead = await deadLetter();
  const params = { query: { limit: 100 } };
  const idsFor = async (who: Person) =>
    (await ok(who.api.GET('/api/v1/dead-letters', { params }))).dead_letters.map(({ id }) => id);
  expect(await idsFor(bob)).toEqual([]);
  expect(await idsFor(admin)).toContain(dead.id);
  for (const [method, below] of [
    ['GET', ''],
    ['POST', '/redrive'],
    ['DELETE', ''],
  ] as const) {
    const { status, body } = await bob.send(method, `/dead-letters/${dead.id}${below}`);
    expect([method, status, body.error]).toEqual([method, 403, 'Access denied']);
  }
  await ok(admin.api.DELETE('/api/v1/dead-letters/{id}', withId(dead.id)));
});
