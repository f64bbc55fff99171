import { type CreateTask, ok, type UpdateTask, withId } from '../../support/api-client.js';
import { Api, aTask, type Person } from './support/api.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start();
  ada = await api.register();
});
afterAll(() => api.close());

const DEFAULTS = {
  description: null,
  status: 'pending',
  priority: 5,
  timeout_seconds: 300,
  metadata: {},
  max_parallel: 1,
  retry: {
    max_attempts: 3,
    initial_delay_ms: 1_000,
    backoff_factor: 2,
    max_delay_ms: 60_000,
    retry_on: ['infrastructure'],
  },
  limits: { memory_mb: 256, cpus: 1, pids: 64, cpu_time_seconds: null, output_bytes: null },
  test_count: 0,
  tests: null,
  judge: null,
  version: 1,
};

const EVERYTHING: CreateTask = {
  name: 'Every field ✓',
  description: 'With "quotes", 𝕌nicode and\nlines',
  script_content: "console.log('héllo')",
  script_type: 'javascript',
  priority: 0,
  timeout_seconds: 60,
  metadata: { team: 'a', nested: { list: [1, 2.5, null, true, ''] }, 'dotted.key': '' },
  max_parallel: 4,
  retry: { max_attempts: 5, initial_delay_ms: 0, backoff_factor: 1.5, max_delay_ms: 10, retry_on: ['timeout'] },
  limits: { memory_mb: 64, cpus: 0.5, pids: 32, cpu_time_seconds: 30, output_bytes: 4_096 },
};

describe('create', () => {
  test('uses defaults for missing fields', async () => {
    const { data, response } = await ada.api.POST('/api/v1/tasks', { body: aTask });
    expect(response.status).toBe(201);
    expect(data).toEqual({
      ...aTask,
      ...DEFAULTS,
      id: expect.any(String),
      user_id: ada.id,
      created_at: expect.any(String),
      updated_at: data!.created_at,
    });
    expect(response.headers.get('location')).toBe(`/api/v1/tasks/${data!.id}`);
    expect(response.headers.get('etag')).toBe('"1"');
  });

  test('accepts every field, including a priority of 0', async () => {
    const created = await ada.createTask(EVERYTHING);
    expect(created).toMatchObject(EVERYTHING);
    expect(await ada.task(created.id)).toEqual(created);
  });

  test('uses defaults for missing fields of a retry policy and of limits', async () => {
    const created = await ada.createTask({ retry: { max_attempts: 1 }, limits: { cpus: 0.1 } });
    expect(created.retry).toEqual({ ...DEFAULTS.retry, max_attempts: 1 });
    expect(created.limits).toEqual({ ...DEFAULTS.limits, cpus: 0.1 });
  });

  test('stores a repeated reason once, and an empty list as given', async () => {
    const twice = await ada.createTask({ retry: { retry_on: ['timeout', 'signal', 'timeout'] } });
    expect(twice.retry.retry_on).toEqual(['timeout', 'signal']);
    expect((await ada.createTask({ retry: { retry_on: [] } })).retry.retry_on).toEqual([]);
  });
});

describe('limits below the minimum of the language', () => {
  const refusal = (type: string, floors: { memory_mb: number; pids?: number }) => ({
    error: 'Validation failed',
    validation_errors: Object.entries(floors).map(([limit, floor]) =>
      expect.objectContaining({
        field: `limits.${limit}`,
        tag: 'min',
        message: `must be at least ${floor} for ${type}`,
      }),
    ),
  });
  const small = { memory_mb: 16, cpus: 1, pids: 16 };

  test.each([
    ['javascript', { memory_mb: 24 }],
    ['typescript', { memory_mb: 32 }],
    ['go', { memory_mb: 32, pids: 32 }],
  ] as const)('are refused with the minimum of %s, and nothing is created', async (script_type, floors) => {
    const head = await api.head();
    for (const path of ['/tasks', '/executions'] as const) {
      const { status, body } = await ada.send('POST', path, { ...aTask, script_type, limits: small });
      expect([status, body]).toEqual([400, expect.objectContaining(refusal(script_type, floors))]);
    }
    expect(await api.head()).toBe(head);
    await ada.createTask({ script_type, limits: { ...small, ...floors } });
  });

  test('are refused if a change of the language or of one limit makes them too low', async () => {
    const { id } = await ada.createTask({ limits: small });
    const change = async (body: UpdateTask) => {
      const answer = await ada.send('PUT', `/tasks/${id}`, body);
      return [answer.status, answer.body];
    };
    const go = [400, expect.objectContaining(refusal('go', { memory_mb: 32, pids: 32 }))];
    expect(await change({ script_type: 'go' })).toEqual(go);
    const lessGo = [400, expect.objectContaining(refusal('go', { memory_mb: 32 }))];
    expect(await change({ script_type: 'go', limits: { pids: 32 } })).toEqual(lessGo);
    expect(await ada.task(id)).toMatchObject({ version: 1, script_type: 'python', limits: small });
    const [status] = await change({ script_type: 'go', limits: { memory_mb: 32, pids: 32 } });
    expect(status).toBe(200);
    expect(await change({ limits: { memory_mb: 31 } })).toEqual(lessGo);
  });
});

describe('get', () => {
  test('returns the ETag of the definition', async () => {
    const created = await ada.createTask();
    const { data, response } = await ada.api.GET('/api/v1/tasks/{id}', withId(created.id));
    expect(data).toEqual(created);
    expect(response.headers.get('etag')).toBe('"1"');
  });

  test('accepts an id in upper case', async () => {
    const { id } = await ada.createTask();
    expect(await ada.task(id.toUpperCase())).toMatchObject({ id });
  });

  test('an admin may read it, too', async () => {
    const { id } = await ada.createTask();
    const admin = await api.registerAdmin();
    expect(await admin.task(id)).toMatchObject({ id, user_id: ada.id });
  });
});

describe('update', () => {
  test.each<UpdateTask>([
    { name: 'another name' },
    { description: 'something' },
    { script_content: 'print(2)' },
    { script_type: 'bash', script_content: 'echo 2' },
    { priority: 0 },
    { timeout_seconds: 1 },
    { timeout_seconds: 1.5 },
    { metadata: { replaced: true } },
    { max_parallel: 2 },
  ])('changes %j and nothing else', async (changes) => {
    const before = await ada.createTask({ metadata: { old: 1 } });
    const { data, response } = await ada.api.PUT('/api/v1/tasks/{id}', { ...withId(before.id), body: changes });
    expect(data).toEqual({ ...before, ...changes, version: 2, updated_at: expect.any(String) });
    expect(response.headers.get('etag')).toBe('"2"');
    expect(await ada.task(before.id)).toEqual(data);
  });

  test('changes only the given fields of a retry policy and of limits', async () => {
    const { id } = await ada.createTask(EVERYTHING);
    const { retry, limits } = await ada.updateTask(id, { retry: { max_attempts: 2 }, limits: { pids: 100 } });
    expect(retry).toEqual({ ...EVERYTHING.retry, max_attempts: 2 });
    expect(limits).toEqual({ ...EVERYTHING.limits, pids: 100 });
  });

  test('with the current values changes nothing and stores nothing', async () => {
    const task = { ...aTask, metadata: { ' ': {}, '': [], a: { b: 1, a: -0 } } };
    const { id } = await ada.createTask(task);
    const { ownerPool } = api.service.database;
    const stored = async () => [await api.head(), (await ownerPool.query('select from es.payloads')).rowCount];
    const before = await stored();
    expect(await ada.updateTask(id, task)).toMatchObject({ version: 1 });
    expect(await stored()).toEqual(before);
    expect(await ada.updateTask(id, { script_content: 'print(2)' })).toMatchObject({ version: 2 });
  });

  test('removes a description', async () => {
    const { id } = await ada.createTask({ description: 'here' });
    expect(await ada.updateTask(id, { description: null })).toMatchObject({ description: null });
  });

  test('without effect leaves the version and the history unchanged', async () => {
    const before = await ada.createTask(EVERYTHING);
    const head = await api.head();
    const { name, priority, retry } = EVERYTHING;
    expect(await ada.updateTask(before.id, { name, priority, retry })).toEqual(before);
    expect(await api.head()).toBe(head);
  });

  test.each<[string, string]>([
    [
      '{"a":9007199254740992,"b":1e2,"c":1.0,"d":-0,"e":1e308,"f":5e-324}',
      '{"a":9007199254740992,"b":100,"c":1,"d":0,"e":1e+308,"f":5e-324}',
    ],
    [
      '{"constructor":{"prototype":{"x":1}},"toString":"t","hasOwnProperty":null}',
      '{"constructor":{"prototype":{"x":1}},"toString":"t","hasOwnProperty":null}',
    ],
  ])('metadata of %s is returned unchanged', async (sent, kept) => {
    const { id } = await ada.createTask();
    const { body } = await ada.send('PUT', `/tasks/${id}`, `{"metadata":${sent}}`);
    expect(body.metadata).toEqual(JSON.parse(kept));
    const [listed] = (await ok(ada.api.GET('/api/v1/tasks', { params: { query: { limit: 1 } } }))).tasks;
    for (const { metadata } of [await ada.task(id), listed!]) expect(metadata).toEqual(JSON.parse(kept));
    const { events } = await ok(ada.api.GET('/api/v1/tasks/{id}/events', withId(id)));
    expect(events.at(-1)!.data).toMatchObject({ changes: { metadata: JSON.parse(kept) } });
  });

  test('many numbers that Postgres writes with 309 digits are returned unchanged', async () => {
    const metadata = { many: Array<number>(2_000).fill(1e308) };
    const { id } = await ada.createTask({ metadata });
    expect(await ada.task(id)).toMatchObject({ metadata });
    expect(await ada.updateTask(id, { metadata })).toMatchObject({ version: 1 });
  });

  test('executions do not change the ETag of a definition', async () => {
    const { id, task_id } = await ada.startExternal();
    await ada.cancel(id);
    const { data, response } = await ada.api.GET('/api/v1/tasks/{id}', withId(task_id));
    expect([response.headers.get('etag'), data]).toMatchObject(['"1"', { version: 1, status: 'pending' }]);
    const params = { path: { id: task_id }, header: { 'If-Match': '"1"' } };
    await ok(ada.api.PUT('/api/v1/tasks/{id}', { params, body: { priority: 1 } }));
  });
});

describe('a running task', () => {
  test('is neither changed nor deleted until its execution has ended', async () => {
    const run = await ada.startExternal();
    const task = withId(run.task_id);
    expect(await ada.task(run.task_id)).toMatchObject({ status: 'running' });
    const update = await ada.api.PUT('/api/v1/tasks/{id}', { ...task, body: { name: 'x' } });
    expect(update.error).toMatchObject({ status: 409, error: 'Cannot update a running task' });
    const deletion = await ada.api.DELETE('/api/v1/tasks/{id}', task);
    expect(deletion.error).toMatchObject({ status: 409, error: 'Cannot delete a running task' });

    await ada.report(run.id, { status: 'failed', return_code: 3 });
    expect(await ada.task(run.task_id)).toMatchObject({ status: 'failed' });
    await ada.updateTask(run.task_id, { name: 'x' });
    await ok(ada.api.DELETE('/api/v1/tasks/{id}', task));
  });
});

describe('delete', () => {
  test('is permanent, and executions stay readable', async () => {
    const run = await ada.startExternal();
    await ada.report(run.id, { status: 'completed', stdout: 'kept' });
    const task = withId(run.task_id);
    expect(await ok(ada.api.DELETE('/api/v1/tasks/{id}', task))).toEqual({ message: 'Task deleted successfully' });

    for (const [method, below, body] of [
      ['GET', ''],
      ['PUT', '', { name: 'x' }],
      ['DELETE', ''],
      ['POST', '/executions'],
    ] as const) {
      const answer = await ada.send(method, `/tasks/${run.task_id}${below}`, body);
      expect([method, below, answer.status, answer.body.error]).toEqual([method, below, 404, 'Task not found']);
    }
    expect((await ok(ada.api.GET('/api/v1/tasks'))).tasks).not.toContainEqual(
      expect.objectContaining({ id: run.task_id }),
    );
    expect(await ada.execution(run.id)).toMatchObject({ status: 'completed', stdout: 'kept' });
    const runs = await ok(ada.api.GET('/api/v1/tasks/{id}/executions', task));
    expect(runs).toMatchObject({ executions: [{ id: run.id }], total: 1 });
    expect((await ok(ada.api.GET('/api/v1/executions'))).executions).toContainEqual(
      expect.objectContaining({ id: run.id }),
    );
    const { events } = await ok(ada.api.GET('/api/v1/tasks/{id}/events', task));
    expect(events.at(-1)).toMatchObject({ type: 'TaskDeleted', actor: `user:${ada.id}` });
  });
});
