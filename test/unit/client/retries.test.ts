import { type ClientOptions, ConnectionError, RateLimitError, UnavailableError, VoidRunner } from '@voidrunner/client';

import { broken, json, problem, reset, ScriptedServer, silence } from '../../support/scripted-server.js';

const TASK = { id: 'a', name: 'a task' };
const A_TASK = { name: 'a', script_type: 'bash', script_content: 'true' } as const;
const GET = 'GET /api/v1/tasks/a';
const POST = 'POST /api/v1/tasks';
const KEYS = 'POST /api/v1/keys';
const A_KEY = { name: 'k', scopes: ['tasks:read' as const] };

let server: ScriptedServer;
beforeAll(async () => {
  server = await ScriptedServer.start();
});
beforeEach(() => server.forget());
afterAll(() => server.close());

const client = (options: Partial<ClientOptions> = {}) =>
  new VoidRunner({ baseUrl: server.url, apiKey: 'vr_key', ...options });
const keysOf = (route: string) => server.of(route).map(({ headers }) => headers['idempotency-key']);

test.each([408, 429, 502, 503, 504])('a GET is repeated after a %i', async (status) => {
  server.on(GET, problem(status, 'temporary', { 'retry-after': '0' }), json(200, TASK));
  expect(await client().tasks.get('a')).toEqual(TASK);
  expect(server.received).toHaveLength(2);
});

test.each([400, 401, 403, 404, 409, 412, 422, 500, 501])('a GET is not repeated after a %i', async (status) => {
  server.on(GET, problem(status, 'final'), json(200, TASK));
  await expect(client().tasks.get('a')).rejects.toMatchObject({ status, code: 'final' });
  expect(server.received).toHaveLength(1);
});

test.each([
  ['is reset', reset],
  ['breaks in the middle of the response', broken('application/json', '{"id":')],
])('a GET whose connection %s is repeated', async (_, reply) => {
  server.on(GET, reply, json(200, TASK));
  expect(await client().tasks.get('a')).toEqual(TASK);
});

test('all tries of a POST have the same key, and the next call another one', async () => {
  server.on(POST, reset, problem(503, 'away'), broken('application/json', '{'), json(201, TASK));
  const vr = client();
  expect(await vr.tasks.create(A_TASK)).toEqual(TASK);
  await vr.tasks.create(A_TASK);
  const [first, ...others] = keysOf(POST);
  expect(first).toMatch(/^[0-9a-f-]{36}$/);
  expect(others.slice(0, 3)).toEqual([first, first, first]);
  expect(others[3]).not.toBe(first);
  expect(new Set(server.of(POST).map(({ body }) => body))).toEqual(new Set([JSON.stringify(A_TASK)]));
});

test('the key of the caller is used', async () => {
  server.on(POST, problem(503, 'away'), json(201, TASK));
  await client().tasks.create(A_TASK, { idempotencyKey: 'mine' });
  expect(keysOf(POST)).toEqual(['mine', 'mine']);
});

test.each([
  ['a reset connection', reset, ConnectionError],
  ['a 503', problem(503, 'away'), UnavailableError],
])('a POST without a key is not repeated after %s', async (_, reply, error) => {
  server.on(KEYS, reply, json(201, {}));
  await expect(client().keys.create(A_KEY)).rejects.toThrow(error);
  expect(keysOf(KEYS)).toEqual([undefined]);
});

test('a POST without a key is repeated if it certainly was not carried out', async () => {
  server.on(KEYS, problem(429, 'rate_limited'), json(201, { id: 'k' }));
  let calls = 0;
  const fetch: typeof globalThis.fetch = (input, init) => {
    calls += 1;
    const refused = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });
    return calls === 1 ? Promise.reject(refused) : globalThis.fetch(input, init);
  };
  expect(await client({ fetch }).keys.create(A_KEY)).toEqual({ id: 'k' });
  expect([calls, server.received.length]).toEqual([3, 2]);
});

test('repeats are bounded, and the last error is thrown', async () => {
  server.on(GET, problem(503, 'away'));
  await expect(client({ maxRetries: 2 }).tasks.get('a')).rejects.toThrow(UnavailableError);
  expect(server.received).toHaveLength(3);
  server.on(GET, reset);
  const error = await client({ maxRetries: 0 })
    .tasks.get('a')
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConnectionError);
  expect((error as ConnectionError).cause).toBeInstanceOf(TypeError);
  expect(server.received).toHaveLength(4);
});

test('a longer Retry-After than a minute is left to the caller', async () => {
  server.on(GET, problem(429, 'quota_exceeded', { 'retry-after': '61' }));
  const error = await client()
    .tasks.get('a')
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RateLimitError);
  expect(error).toMatchObject({ code: 'quota_exceeded', retryAfterSeconds: 61 });
  expect(server.received).toHaveLength(1);
});

test('an abort ends the wait before a repeat, with its reason', async () => {
  const abort = new AbortController();
  const reason = new Error('enough');
  server.on(GET, (response, received) => {
    void problem(503, 'away', { 'retry-after': '60' })(response, received);
    // After the response has been read, the client waits for a minute.
    response.on('close', () => setTimeout(() => abort.abort(reason), 50));
  });
  await expect(client().tasks.get('a', { signal: abort.signal })).rejects.toBe(reason);
  expect(server.received).toHaveLength(1);
});

test('an abort ends a request, and an aborted signal sends none', async () => {
  const abort = new AbortController();
  server.on(GET, () => abort.abort());
  await expect(client().tasks.get('a', { signal: abort.signal })).rejects.toMatchObject({ name: 'AbortError' });
  await expect(client().tasks.get('a', { signal: abort.signal })).rejects.toBe(abort.signal.reason);
  expect(server.received).toHaveLength(1);
});

test('each try has a time limit', async () => {
  server.on(GET, silence);
  await expect(client({ timeoutMs: 50, maxRetries: 1 }).tasks.get('a')).rejects.toThrow('No response within 50 ms');
  expect(server.received).toHaveLength(2);
});

test('the typed client repeats, too, and returns error responses', async () => {
  server.on(GET, reset, problem(404, 'task_not_found'));
  const { data, error, response } = await client().http.GET('/api/v1/tasks/{id}', { params: { path: { id: 'a' } } });
  expect([data, error!.detail, response.status]).toEqual([undefined, 'It is task_not_found', 404]);
  server.on(POST, json(201, TASK));
  await client().http.POST('/api/v1/tasks', { body: A_TASK });
  expect(keysOf(POST)).toEqual([expect.any(String)]);
});
