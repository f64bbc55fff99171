import { randomUUID } from 'node:crypto';

import { ok, withId } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Api, type Person } from './support/api.js';
import { startAttempt } from './support/attempts.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start();
  ada = await api.register();
});
afterAll(() => api.close());

const typesOf = async (id: string): Promise<string[]> =>
  (await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(id)))).events.map(({ type }) => type);

const inQueue = async (executionId: string): Promise<boolean> => {
  const { queue } = api.service.processes[0]!.infra;
  return (await queue.inspect([{ executionId, attempt: 1 }]))[0] !== 'missing';
};

describe('start', () => {
  test('returns a pending execution and its location', async () => {
    const { id: task_id } = await ada.createTask();
    const { data, response } = await ada.api.POST('/api/v1/tasks/{id}/executions', withId(task_id));
    expect(response.status).toBe(201);
    const { id } = data!;
    expect(response.headers.get('location')).toBe(`/api/v1/executions/${id}`);
    expect(data).toMatchObject({ task_id, status: 'pending', attempt: 0, stdout: null, return_code: null, version: 1 });
    expect(await ada.execution(id)).toEqual(data);
    expect(await ada.task(task_id)).toMatchObject({ status: 'running' });
    await eventually(async () => expect(await inQueue(id)).toBe(true));
  });

  test.each([
    ['no body', undefined, {}],
    ['an empty body', '', { 'content-type': 'application/json' }],
    ['an empty object', {}, {}],
    ['an empty input', { input: {} }, {}],
    ['the embedded executor', { executor: 'embedded' }, {}],
  ])('accepts %s', async (_what, body, headers) => {
    const { id } = await ada.createTask();
    const { status } = await ada.send('POST', `/tasks/${id}/executions`, body, headers as Record<string, string>);
    expect(status).toBe(201);
  });

  test('is refused at max_parallel, and records nothing', async () => {
    const { id } = await ada.createTask({ max_parallel: 2 });
    const first = await ada.start(id);
    await ada.start(id);
    const head = await api.head();
    const third = await ada.api.POST('/api/v1/tasks/{id}/executions', withId(id));
    expect(third.error).toMatchObject({ status: 409, error: 'Task is already running' });
    expect(await api.head()).toBe(head);
    await ada.cancel(first.id);
    await ada.start(id);
  });

  test('ten at once: only max_parallel of them succeed', async () => {
    const { id } = await ada.createTask({ max_parallel: 3 });
    const start = () =>
      ada.api.POST('/api/v1/tasks/{id}/executions', { ...withId(id), body: { executor: 'external' } });
    const answers = await Promise.all(Array.from({ length: 10 }, start));
    expect(answers.map(({ response }) => response.status).toSorted()).toEqual([
      ...Array(3).fill(201),
      ...Array(7).fill(409),
    ]);
    expect(await ok(ada.api.GET('/api/v1/tasks/{id}/executions', withId(id)))).toMatchObject({ total: 3 });
  });

  test('of a task that does not exist is a 404', async () => {
    const { error } = await ada.api.POST('/api/v1/tasks/{id}/executions', withId(randomUUID()));
    expect(error).toMatchObject({ status: 404, error: 'Task not found' });
  });

  test('uses the task’s definition at that moment', async () => {
    const { id } = await ada.createTask({ max_parallel: 1, priority: 1 });
    const run = await ada.start(id);
    await ada.cancel(run.id);
    await ada.updateTask(id, { priority: 9 });
    const [requested] = (await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(run.id)))).events;
    expect(requested!.data).toMatchObject({ priority: 1, task_definition_version: 1 });
  });
});

describe('list', () => {
  test('of a task, and of all tasks', async () => {
    const bob = await api.register();
    const [one, two] = [await bob.createTask({ max_parallel: 5 }), await bob.createTask({ script_type: 'bash' })];
    const runs = [await bob.start(one.id), await bob.start(one.id), await bob.start(two.id)];
    const ids = runs.map(({ id }) => id);
    const listed = async (path: string) =>
      (await bob.ok('GET', path)).executions.map((run: { id: string }) => ids.indexOf(run.id));
    expect(await listed(`/tasks/${one.id}/executions`)).toEqual([1, 0]);
    expect(await listed(`/tasks/${one.id}/executions?sort_order=asc`)).toEqual([0, 1]);
    expect(await listed('/executions')).toEqual([2, 1, 0]);
    expect(await listed('/executions?limit=1&offset=1')).toEqual([1]);
    expect(await listed('/executions?script_type=bash')).toEqual([2]);
    await bob.cancel(ids[0]!);
    expect(await listed('/executions?status=cancelled')).toEqual([0]);
    expect(await listed(`/tasks/${one.id}/executions?status=pending`)).toEqual([1]);
    const page = await bob.ok('GET', '/executions?limit=2&cursor=');
    expect(page).toMatchObject({ pagination: { has_more: true }, sort_field: 'created_at', sort_order: 'desc' });
    expect(await listed(`/executions?limit=2&cursor=${page.pagination.next_cursor}`)).toEqual([0]);
  });

  test('contains the output only on request', async () => {
    const run = await ada.startExternal();
    await ada.report(run.id, { status: 'completed', stdout: 'out', stderr: 'err' });
    const bare = await ok(ada.api.GET('/api/v1/tasks/{id}/executions', withId(run.task_id)));
    expect(bare.executions).toMatchObject([{ stdout: null, stderr: null, stdout_bytes: 3 }]);
    const whole = await ok(ada.api.GET('/api/v1/tasks/{id}/executions', withId(run.task_id, { include: 'output' })));
    expect(whole.executions).toMatchObject([{ stdout: 'out', stderr: 'err' }]);
    const wrong = await ada.send('GET', `/tasks/${run.task_id}/executions?include=input`);
    expect(wrong.body).toMatchObject({ status: 400, validation_errors: [{ field: 'include', tag: 'oneof' }] });
  });

  test('of a task that does not exist is a 404', async () => {
    const { error } = await ada.api.GET('/api/v1/tasks/{id}/executions', withId(randomUUID()));
    expect(error!.error).toBe('Task not found');
  });
});

describe('cancel', () => {
  test('ends a pending execution at once and removes its job', async () => {
    const run = await ada.start((await ada.createTask()).id);
    await eventually(async () => expect(await inQueue(run.id)).toBe(true));
    expect(await ada.cancel(run.id)).toEqual({ message: 'Execution cancelled successfully' });
    const ended = await ada.execution(run.id);
    expect(ended).toMatchObject({
      status: 'cancelled',
      termination_reason: 'cancelled',
      completed_at: expect.any(String),
    });
    expect(await ada.task(run.task_id)).toMatchObject({ status: 'pending' });
    await eventually(async () => expect(await inQueue(run.id)).toBe(false));
    expect(await typesOf(run.id)).toEqual(['ExecutionRequested', 'ExecutionCancelled']);
  });

  test('of a running execution is recorded once, may be repeated until the end, and is refused afterwards', async () => {
    const run = await ada.start((await ada.createTask()).id);
    const attempt = await startAttempt(api, run.id);
    const cancel = () => ada.send('DELETE', `/executions/${run.id}`);
    const answers = [await cancel(), await cancel(), ...(await Promise.all([cancel(), cancel()]))];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await ada.execution(run.id)).toMatchObject({ status: 'running', attempt: 1 });
    await attempt.release();
    const late = await cancel();
    expect([late.status, late.body.error]).toEqual([409, 'Execution has already ended']);
    const start = ['ExecutionRequested', 'ExecutionAttemptStarted', 'ExecutionCancellationRequested'];
    expect(await typesOf(run.id)).toEqual([...start, 'ExecutionCancelled']);
  });

  test('of an ended execution is a 409 and records nothing', async () => {
    const run = await ada.startExternal();
    await ada.report(run.id, { status: 'completed' });
    const head = await api.head();
    expect((await ada.api.DELETE('/api/v1/executions/{id}', withId(run.id))).response.status).toBe(409);
    expect(await api.head()).toBe(head);
  });

  test('ten concurrent cancels record one', async () => {
    const run = await ada.startExternal();
    const cancel = () => ada.api.DELETE('/api/v1/executions/{id}', withId(run.id));
    const answers = await Promise.all(Array.from({ length: 10 }, cancel));
    expect(answers.filter(({ response }) => response.status === 200)).toHaveLength(1);
    expect(answers.filter(({ response }) => response.status === 409)).toHaveLength(9);
  });
});

test('an execution that does not exist is a 404', async () => {
  for (const [method, below, body] of [
    ['GET', ''],
    ['GET', '/events'],
    ['GET', '/output/stdout'],
    ['DELETE', ''],
    ['PUT', '', { status: 'running' }],
  ] as const) {
    const { status, body: answer } = await ada.send(method, `/executions/${randomUUID()}${below}`, body);
    expect([method, below, status, answer.error]).toEqual([method, below, 404, 'Execution not found']);
  }
});

test('an external execution is never enqueued', async () => {
  const external = await ada.startExternal();
  const later = await ada.start((await ada.createTask()).id);
  // The orchestrator follows the order of the log: when the later job exists, it has handled the earlier event.
  await eventually(async () => expect(await inQueue(later.id)).toBe(true));
  expect(await inQueue(external.id)).toBe(false);
});
