import { randomUUID } from 'node:crypto';

import type { ExecutionView } from '../../../src/execution/api/execution-schemas.js';
import { Api, type Person } from './support/api.js';
import { startAttempt } from './support/attempts.js';

const ONE_ATTEMPT = { retry: { max_attempts: 1, retry_on: ['exit_code'] } };

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start();
  ada = await api.register();
});
afterAll(() => api.close());

async function deadLetter(who = ada): Promise<ExecutionView> {
  const run = await who.start((await who.createTask(ONE_ATTEMPT)).id);
  await (await startAttempt(api, run.id)).fail(3);
  return who.client.follow(run.id, ({ dead_lettered }) => dead_lettered);
}

const typesOf = async (id: string): Promise<string[]> =>
  (await ada.ok('GET', `/executions/${id}/events`)).events.map(({ type }: { type: string }) => type);

test('a run whose attempts are used up is a failed execution and a dead letter', async () => {
  const dead = await deadLetter();
  expect(dead).toMatchObject({ status: 'failed', return_code: 3, dead_lettered: true, attempt: 1 });
  expect(await ada.ok('GET', `/dead-letters/${dead.id}`)).toEqual(dead);
  expect((await ada.ok('GET', '/dead-letters')).dead_letters).toContainEqual({ ...dead, stdout: null, stderr: null });
  expect(await ada.ok('GET', `/tasks/${dead.task_id}`)).toMatchObject({ status: 'failed' });
});

test('dead letters are listed by offset and by cursor, newest first', async () => {
  const bob = await api.register();
  const ids = [];
  for (let count = 0; count < 3; count++) ids.unshift((await deadLetter(bob)).id);
  await bob.startExternal();
  const idsOf = (page: { dead_letters: { id: string }[] }) => page.dead_letters.map(({ id }) => id);
  const all = await bob.ok('GET', '/dead-letters');
  expect([idsOf(all), all.total]).toEqual([ids, 3]);
  expect(idsOf(await bob.ok('GET', '/dead-letters?limit=1&offset=2'))).toEqual([ids[2]]);
  const first = await bob.ok('GET', '/dead-letters?limit=2&cursor=');
  expect(idsOf(first)).toEqual(ids.slice(0, 2));
  expect(idsOf(await bob.ok('GET', `/dead-letters?limit=2&cursor=${first.pagination.next_cursor}`))).toEqual([ids[2]]);
});

test('redrive runs it again, with the attempts counted on and a budget anew', async () => {
  const dead = await deadLetter();
  const redriven = await ada.send('POST', `/dead-letters/${dead.id}/redrive`);
  expect([redriven.status, redriven.body]).toMatchObject([
    200,
    { id: dead.id, status: 'pending', dead_lettered: false },
  ]);
  expect((await ada.send('GET', `/dead-letters/${dead.id}`)).body.error).toBe('Dead letter not found');
  expect(await ada.ok('GET', `/tasks/${dead.task_id}`)).toMatchObject({ status: 'running' });

  const again = await ada.send('POST', `/dead-letters/${dead.id}/redrive`);
  expect([again.status, again.body.error]).toEqual([409, 'Execution is not dead-lettered']);
  await (await startAttempt(api, dead.id, 2)).fail(4);
  const twice = await ada.client.follow(dead.id, ({ dead_lettered }) => dead_lettered);
  expect(twice).toMatchObject({ status: 'failed', return_code: 4, attempt: 2 });
  const attempt = ['ExecutionStarted', 'ExecutionAttemptFailed', 'ExecutionDeadLettered'];
  expect(await typesOf(dead.id)).toEqual(['ExecutionRequested', ...attempt, 'ExecutionRedriven', ...attempt]);
});

test('discard puts it away and leaves the execution', async () => {
  const dead = await deadLetter();
  const discarded = await ada.send('DELETE', `/dead-letters/${dead.id}`);
  expect([discarded.status, discarded.body]).toEqual([200, { message: 'Dead letter discarded successfully' }]);
  expect((await ada.send('GET', `/dead-letters/${dead.id}`)).status).toBe(404);
  expect((await ada.ok('GET', '/dead-letters')).dead_letters).not.toContainEqual(
    expect.objectContaining({ id: dead.id }),
  );
  expect(await ada.ok('GET', `/executions/${dead.id}`)).toMatchObject({ status: 'failed' });
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

test('redrive is refused at max_parallel and after the task is gone', async () => {
  const busy = await deadLetter();
  const other = await ada.start(busy.task_id, { executor: 'external' });
  const head = await api.head();
  const refused = await ada.send('POST', `/dead-letters/${busy.id}/redrive`);
  expect([refused.status, refused.body.error]).toEqual([409, 'Task is already running']);
  expect(await api.head()).toBe(head);
  await ada.ok('DELETE', `/executions/${other.id}`);
  await ada.ok('DELETE', `/tasks/${busy.task_id}`);
  const gone = await ada.send('POST', `/dead-letters/${busy.id}/redrive`);
  expect([gone.status, gone.body.error]).toEqual([409, 'Task has been deleted']);
});

test('what is no dead letter', async () => {
  const run = await ada.startExternal();
  expect((await ada.send('GET', `/dead-letters/${run.id}`)).body.error).toBe('Dead letter not found');
  expect((await ada.send('DELETE', `/dead-letters/${run.id}`)).status).toBe(409);
  expect((await ada.send('POST', `/dead-letters/${randomUUID()}/redrive`)).body.error).toBe('Execution not found');
  expect((await ada.send('GET', '/dead-letters/x')).body.error).toBe('Invalid execution ID format');
});

test('everyone has their own; an admin has everyone’s', async () => {
  const [bob, admin] = [await api.register(), await api.registerAdmin()];
  const dead = await deadLetter();
  const idsFor = async (who: Person) =>
    (await who.ok('GET', '/dead-letters?limit=100')).dead_letters.map(({ id }: { id: string }) => id);
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
  expect((await admin.send('DELETE', `/dead-letters/${dead.id}`)).status).toBe(200);
});
