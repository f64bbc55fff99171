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
  limits: { memory_mb: 256, cpus: 1, pids: 64 },
  version: 1,
};

const EVERYTHING = {
  name: 'Every field ✓',
  description: 'With "quotes", 𝕌nicode and\nlines',
  script_content: "console.log('héllo')",
  script_type: 'javascript',
  priority: 0,
  timeout_seconds: 60,
  metadata: { team: 'a', nested: { list: [1, 2.5, null, true, ''] }, 'dotted.key': '' },
  max_parallel: 4,
  retry: { max_attempts: 5, initial_delay_ms: 0, backoff_factor: 1.5, max_delay_ms: 10, retry_on: ['timeout'] },
  limits: { memory_mb: 64, cpus: 0.5, pids: 32 },
};

describe('create', () => {
  test('fills in what is left out', async () => {
    const { status, body, headers } = await ada.send('POST', '/tasks', aTask);
    expect(status).toBe(201);
    expect(body).toEqual({
      ...aTask,
      ...DEFAULTS,
      id: expect.any(String),
      user_id: ada.id,
      created_at: expect.any(String),
      updated_at: body.created_at,
    });
    expect(headers.get('location')).toBe(`/api/v1/tasks/${body.id}`);
    expect(headers.get('etag')).toBe('"1"');
  });

  test('takes every field, and a priority of 0 for what it is', async () => {
    const created = await ada.createTask(EVERYTHING);
    expect(created).toMatchObject(EVERYTHING);
    expect(await ada.ok('GET', `/tasks/${created.id}`)).toEqual(created);
  });

  test('fills in what a retry policy and limits leave out', async () => {
    const created = await ada.createTask({ retry: { max_attempts: 1 }, limits: { cpus: 0.1 } });
    expect(created.retry).toEqual({ ...DEFAULTS.retry, max_attempts: 1 });
    expect(created.limits).toEqual({ ...DEFAULTS.limits, cpus: 0.1 });
  });

  test('keeps a reason that is named twice once, and none where none is wished', async () => {
    const twice = await ada.createTask({ retry: { retry_on: ['timeout', 'signal', 'timeout'] } });
    expect(twice.retry.retry_on).toEqual(['timeout', 'signal']);
    expect((await ada.createTask({ retry: { retry_on: [] } })).retry.retry_on).toEqual([]);
  });
});

describe('get', () => {
  test('answers with the ETag of the definition', async () => {
    const created = await ada.createTask();
    const { body, headers } = await ada.send('GET', `/tasks/${created.id}`);
    expect(body).toEqual(created);
    expect(headers.get('etag')).toBe('"1"');
  });

  test('takes an id in capitals', async () => {
    const { id } = await ada.createTask();
    expect(await ada.ok('GET', `/tasks/${id.toUpperCase()}`)).toMatchObject({ id });
  });

  test('an admin may, too', async () => {
    const { id } = await ada.createTask();
    const admin = await api.registerAdmin();
    expect(await admin.ok('GET', `/tasks/${id}`)).toMatchObject({ id, user_id: ada.id });
  });
});

describe('update', () => {
  test.each([
    { name: 'another name' },
    { description: 'something' },
    { script_content: 'print(2)' },
    { script_type: 'bash', script_content: 'echo 2' },
    { priority: 0 },
    { timeout_seconds: 1 },
    { metadata: { replaced: true } },
    { max_parallel: 2 },
  ])('changes %j and nothing else', async (changes) => {
    const before = await ada.createTask({ metadata: { old: 1 } });
    const { body, headers } = await ada.send('PUT', `/tasks/${before.id}`, changes);
    expect(body).toEqual({ ...before, ...changes, version: 2, updated_at: expect.any(String) });
    expect(headers.get('etag')).toBe('"2"');
    expect(await ada.ok('GET', `/tasks/${before.id}`)).toEqual(body);
  });

  test('changes only what is given of a retry policy and of limits', async () => {
    const { id } = await ada.createTask(EVERYTHING);
    const { retry, limits } = await ada.ok('PUT', `/tasks/${id}`, {
      retry: { max_attempts: 2 },
      limits: { pids: 100 },
    });
    expect(retry).toEqual({ ...EVERYTHING.retry, max_attempts: 2 });
    expect(limits).toEqual({ ...EVERYTHING.limits, pids: 100 });
  });

  test('removes a description', async () => {
    const { id } = await ada.createTask({ description: 'here' });
    expect(await ada.ok('PUT', `/tasks/${id}`, { description: null })).toMatchObject({ description: null });
  });

  test('that changes nothing leaves version and history alone', async () => {
    const before = await ada.createTask(EVERYTHING);
    const head = await api.head();
    const { name, priority, retry } = EVERYTHING;
    expect(await ada.ok('PUT', `/tasks/${before.id}`, { name, priority, retry })).toEqual(before);
    expect(await api.head()).toBe(head);
  });

  test('with If-Match changes only what has not changed since', async () => {
    const { id } = await ada.createTask();
    const put = (tag: string) => ada.send('PUT', `/tasks/${id}`, { name: `after ${tag}` }, { 'if-match': tag });
    expect((await put('"1"')).headers.get('etag')).toBe('"2"');
    for (const stale of ['"1"', '"3"', 'W/"2"', '2', '"other"']) {
      const { status, body } = await put(stale);
      expect([stale, status]).toEqual([stale, 412]);
      expect(body.error).toBe('Task was changed in the meantime');
    }
    expect((await put('*')).status).toBe(200);
    expect((await put('"3", "4"')).status).toBe(400);
    expect((await ada.send('GET', `/tasks/${id}`)).headers.get('etag')).toBe('"3"');
  });

  test('the tag of a definition outlives its runs', async () => {
    const { id, task_id } = await ada.startExternal();
    await ada.ok('DELETE', `/executions/${id}`);
    const { body, headers } = await ada.send('GET', `/tasks/${task_id}`);
    expect([headers.get('etag'), body.version, body.status]).toEqual(['"1"', 1, 'pending']);
    const changed = await ada.send('PUT', `/tasks/${task_id}`, { priority: 1 }, { 'if-match': '"1"' });
    expect(changed.status).toBe(200);
  });
});

describe('a running task', () => {
  test('is neither changed nor deleted until its run has ended', async () => {
    const run = await ada.startExternal();
    const path = `/tasks/${run.task_id}`;
    expect(await ada.ok('GET', path)).toMatchObject({ status: 'running' });
    const update = await ada.send('PUT', path, { name: 'x' });
    expect([update.status, update.body.error]).toEqual([409, 'Cannot update a running task']);
    const deletion = await ada.send('DELETE', path);
    expect([deletion.status, deletion.body.error]).toEqual([409, 'Cannot delete a running task']);

    await ada.ok('PUT', `/executions/${run.id}`, { status: 'failed', return_code: 3 });
    expect(await ada.ok('GET', path)).toMatchObject({ status: 'failed' });
    expect((await ada.send('PUT', path, { name: 'x' })).status).toBe(200);
    expect((await ada.send('DELETE', path)).status).toBe(200);
  });
});

describe('delete', () => {
  test('is for ever, and leaves the executions readable', async () => {
    const run = await ada.startExternal();
    await ada.ok('PUT', `/executions/${run.id}`, { status: 'completed', stdout: 'kept' });
    const path = `/tasks/${run.task_id}`;
    expect(await ada.ok('DELETE', path)).toEqual({ message: 'Task deleted successfully' });

    for (const [method, below, body] of [
      ['GET', ''],
      ['PUT', '', { name: 'x' }],
      ['DELETE', ''],
      ['POST', '/executions'],
    ] as const) {
      const answer = await ada.send(method, path + below, body);
      expect([method, below, answer.status, answer.body.error]).toEqual([method, below, 404, 'Task not found']);
    }
    expect((await ada.ok('GET', '/tasks')).tasks).not.toContainEqual(expect.objectContaining({ id: run.task_id }));
    expect(await ada.ok('GET', `/executions/${run.id}`)).toMatchObject({ status: 'completed', stdout: 'kept' });
    expect(await ada.ok('GET', `${path}/executions`)).toMatchObject({ executions: [{ id: run.id }], total: 1 });
    expect((await ada.ok('GET', '/executions')).executions).toContainEqual(expect.objectContaining({ id: run.id }));
    const { events } = await ada.ok('GET', `${path}/events`);
    expect(events.at(-1)).toMatchObject({ type: 'TaskDeleted', actor: `user:${ada.id}` });
  });
});
