import { randomUUID } from 'node:crypto';

import { call } from '../../support/api-client.js';
import { Api, aTask, NO_WORKER, type Person } from './support/api.js';

/**
 * What clients of the original VoidRunner rely on: names, codes and messages. Fields may be added, but none of these
 * may be removed.
 */
let api: Api;
let ada: Person;
let bob: Person;

beforeAll(async () => {
  api = await Api.start(NO_WORKER);
  [ada, bob] = [await api.register(), await api.register()];
});
afterAll(() => api.close());

const keysOf = (body: object): string[] => Object.keys(body).toSorted();
const listed = (keys: string): string[] => keys.split(' ').toSorted();
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown;
const ID = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/) as unknown;

const TASK = {
  ...{ id: ID, user_id: ID, name: 'a task', description: null, script_content: 'print(1)', script_type: 'python' },
  ...{ status: 'pending', priority: 5, timeout_seconds: 300, metadata: {}, created_at: TIME, updated_at: TIME },
};
const EXECUTION = {
  ...{ id: ID, task_id: ID, status: 'pending', return_code: null, stdout: null, stderr: null },
  ...{ execution_time_ms: null, memory_usage_bytes: null, started_at: null, completed_at: null, created_at: TIME },
};

describe('accounts', () => {
  const password = 'correct horse battery';
  const email = `${randomUUID()}@example.com`;

  test('register, login and refresh return tokens and the user', async () => {
    const user = { id: ID, email, name: 'Ada', created_at: TIME, updated_at: TIME };
    const tokens = { access_token: expect.any(String), refresh_token: expect.any(String), token_type: 'Bearer' };
    const answer = { ...tokens, expires_in: 900, user };
    const registered = await api.anonymous('POST', '/auth/register', { email, password, name: 'Ada' });
    expect([registered.status, registered.body]).toEqual([201, answer]);
    const again = await api.anonymous('POST', '/auth/register', { email, password, name: 'Ada' });
    expect(again.status).toBe(409);
    const login = await api.anonymous('POST', '/auth/login', { email, password });
    expect([login.status, login.body]).toEqual([200, answer]);
    const { refresh_token } = login.body as { refresh_token: string };
    const refreshed = await api.anonymous('POST', '/auth/refresh', { refresh_token });
    expect([refreshed.status, refreshed.body]).toEqual([200, answer]);
    const authorization = `Bearer ${(refreshed.body as { access_token: string }).access_token}`;
    expect((await api.anonymous('GET', '/auth/me', undefined, { authorization })).body).toEqual({ user });
    const out = await api.anonymous('POST', '/auth/logout', undefined, { authorization });
    expect([out.status, keysOf(out.body as object)]).toEqual([200, ['message']]);
  });

  test.each([
    ['a wrong password', email, 'wrong horse battery'],
    ['an unknown address', 'nobody@example.com', password],
  ])('%s is a 401 with the same message', async (_, address, given) => {
    const { status, body } = await api.anonymous('POST', '/auth/login', { email: address, password: given });
    expect([status, (body as { error: string }).error]).toEqual([401, 'Invalid email or password']);
  });
});

describe('tasks and executions', () => {
  test('have the original fields', async () => {
    const created = await ada.send('POST', '/tasks', aTask);
    expect([created.status, created.body]).toMatchObject([201, TASK]);
    expect(created.headers.get('location')).toBe(`/api/v1/tasks/${created.body.id}`);
    expect((await ada.send('PUT', `/tasks/${created.body.id}`, { priority: 0 })).body).toMatchObject({ priority: 0 });
    const started = await ada.send('POST', `/tasks/${created.body.id}/executions`);
    expect([started.status, started.body]).toMatchObject([201, EXECUTION]);
    expect(started.headers.get('location')).toBe(`/api/v1/executions/${started.body.id}`);
    const refused = await ada.send('POST', `/tasks/${created.body.id}/executions`);
    expect([refused.status, refused.body.error]).toEqual([409, 'Task is already running']);
    for (const method of ['PUT', 'DELETE']) {
      const { status } = await ada.send(
        method,
        `/tasks/${created.body.id}`,
        method === 'PUT' ? { priority: 1 } : undefined,
      );
      expect([method, status]).toEqual([method, 409]);
    }
    const cancelled = await ada.send('DELETE', `/executions/${started.body.id}`);
    expect([cancelled.status, cancelled.body]).toEqual([200, { message: 'Execution cancelled successfully' }]);
    expect((await ada.send('DELETE', `/executions/${started.body.id}`)).status).toBe(409);
    const deleted = await ada.send('DELETE', `/tasks/${created.body.id}`);
    expect([deleted.status, deleted.body]).toEqual([200, { message: 'Task deleted successfully' }]);
    expect((await ada.send('GET', `/executions/${started.body.id}`)).status).toBe(200);
  });

  test('a report of an external execution is accepted in its original form', async () => {
    const { id } = await ada.startExternal();
    const report = { status: 'completed', return_code: 0, stdout: 'out', stderr: 'err', execution_time_ms: 12 };
    const { status, body } = await ada.send('PUT', `/executions/${id}`, { ...report, memory_usage_bytes: 4_096 });
    expect([status, body]).toMatchObject([200, { ...report, id, completed_at: TIME }]);
  });

  test.each([
    ['/tasks?limit=1', 'limit offset tasks total'],
    ['/executions?limit=1&offset=0', 'executions limit offset total'],
    ['/tasks?cursor=&limit=1', 'limit pagination sort_field sort_order tasks'],
  ])('%s has the form of a list', async (path, keys) => {
    const body = await ada.ok('GET', path);
    expect(keysOf(body)).toEqual(listed(keys));
    if ('pagination' in body) expect(keysOf(body.pagination)).toEqual(['has_more', 'next_cursor', 'prev_cursor']);
  });
});

describe('refusals', () => {
  test.each<[string, string, () => Promise<string>, number, string]>([
    ['an invalid id', 'GET', async () => '/tasks/x', 400, 'Invalid task ID format'],
    ['an unknown task', 'GET', async () => `/tasks/${randomUUID()}`, 404, 'Task not found'],
    ['an unknown execution', 'GET', async () => `/executions/${randomUUID()}`, 404, 'Execution not found'],
    ['another user’s task', 'GET', async () => `/tasks/${(await bob.createTask()).id}`, 403, 'Access denied'],
  ])('%s', async (_, method, pathOf, status, error) => {
    const { body, ...answer } = await ada.send(method, await pathOf());
    expect([answer.status, body.error]).toEqual([status, error]);
  });

  test('an invalid body names each field and its fault', async () => {
    const { status, body } = await ada.send('POST', '/tasks', { ...aTask, priority: 11 });
    expect([status, body.error, body.validation_errors]).toEqual([
      400,
      'Validation failed',
      [{ field: 'priority', value: '11', tag: 'max', message: expect.any(String) }],
    ]);
  });

  test.each([
    [undefined, 'authorization header required'],
    ['Bearer x', 'Invalid or expired token'],
  ])('with %j as its authorization', async (authorization, error) => {
    const { status, body } = await api.anonymous('GET', '/tasks', undefined, {
      ...(authorization && { authorization }),
    });
    expect([status, (body as { error: string }).error]).toEqual([401, error]);
  });
});

describe('health and documents', () => {
  const get = <Body = any>(path: string) => call<Body>(api.service.url + path, 'GET');

  test('have their original responses', async () => {
    const health = await get('/health');
    expect([health.status, health.body]).toMatchObject([200, { status: 'ok', service: 'voidrunner-api' }]);
    expect(keysOf(health.body)).toEqual(listed('service status timestamp uptime version'));
    const ready = await get('/ready');
    expect(keysOf(ready.body)).toEqual(listed('checks status timestamp'));
    const workers = await get('/health/workers');
    expect(keysOf(workers.body)).toEqual(
      expect.arrayContaining(listed('concurrency status timestamp worker_manager worker_pool')),
    );
    expect(workers.body.worker_manager).toMatchObject({
      is_running: expect.any(Boolean),
      is_healthy: expect.any(Boolean),
    });
    expect(keysOf(workers.body.worker_pool)).toEqual(
      expect.arrayContaining(
        listed(
          'active_workers average_task_time idle_workers pool_size total_tasks_failed total_tasks_processed ' +
            'total_tasks_successful unhealthy_workers',
        ),
      ),
    );
    expect(keysOf(workers.body.concurrency)).toEqual(expect.arrayContaining(['available_slots', 'total_active_slots']));
  });

  test.each(['/docs', '/docs/json', '/swagger.json', '/api', '/api/v1/ping'])('%s exists', async (path) => {
    expect((await get(path)).status).toBe(200);
  });
});
