import { AuthenticationError, ConnectionError, type SessionTokens, VoidRunner } from '@voidrunner/client';

import { json, problem, type Reply, reset, ScriptedServer } from '../../support/scripted-server.js';

const ME = 'GET /api/v1/auth/me';
const REFRESH = 'POST /api/v1/auth/refresh';
const USER = { id: 'u', email: 'ada@example.com' };

let server: ScriptedServer;
beforeAll(async () => {
  server = await ScriptedServer.start();
});
beforeEach(() => server.forget());
afterAll(() => server.close());

/** Only this access token is valid. */
const onlyFor =
  (token: string): Reply =>
  (response, received) =>
    (received.headers.authorization === `Bearer ${token}` ? json(200, { user: USER }) : problem(401, 'expired'))(
      response,
      received,
    );
const authResponse = (access_token: string, refresh_token: string) => ({ access_token, refresh_token, user: USER });

function client(onRefresh?: (tokens: SessionTokens) => void | Promise<void>, maxRetries = 4): VoidRunner {
  const session = { accessToken: 'old', refreshToken: 'refresh-1', ...(onRefresh && { onRefresh }) };
  return new VoidRunner({ baseUrl: server.url, session, maxRetries });
}

test('ten requests that fail together share one refresh', async () => {
  server.on(ME, onlyFor('new')).on(REFRESH, json(200, authResponse('new', 'refresh-2')));
  const refreshed: SessionTokens[] = [];
  const vr = client((tokens) => void refreshed.push(tokens));
  expect(await Promise.all(Array.from({ length: 10 }, () => vr.auth.me()))).toEqual(
    Array.from({ length: 10 }, () => USER),
  );
  expect(server.of(REFRESH).map(({ body }) => body)).toEqual(['{"refresh_token":"refresh-1"}']);
  expect(server.of(REFRESH)[0]!.headers.authorization).toBeUndefined();
  expect(refreshed).toEqual([{ accessToken: 'new', refreshToken: 'refresh-2' }]);
  expect(vr.auth.tokens).toEqual(refreshed[0]);
  await vr.auth.me();
  expect(server.of(REFRESH)).toHaveLength(1);
});

test('a 401 that comes after the refresh uses the new token', async () => {
  const vr = client();
  let late!: () => void;
  const held = new Promise<void>((resolve) => (late = resolve));
  server.on(REFRESH, json(200, authResponse('new', 'refresh-2'))).on(
    ME,
    async (response, received) => {
      await held;
      problem(401, 'expired')(response, received);
    },
    onlyFor('new'),
  );
  const first = vr.auth.me();
  await vr.auth.me();
  late();
  expect(await first).toEqual(USER);
  expect(server.of(REFRESH)).toHaveLength(1);
});

test('the new tokens are stored before they are used', async () => {
  server.on(ME, onlyFor('new')).on(REFRESH, json(200, authResponse('new', 'refresh-2')));
  const seen: number[] = [];
  const vr = client(async () => {
    await Promise.resolve();
    seen.push(server.of(ME).length);
  });
  await vr.auth.me();
  expect([seen, server.of(ME).length]).toEqual([[1], 2]);
});

test('a refused refresh is an authentication error for every caller', async () => {
  server.on(ME, onlyFor('new')).on(REFRESH, problem(401, 'invalid_token'));
  const vr = client();
  const results = await Promise.allSettled([vr.auth.me(), vr.auth.me(), vr.auth.refresh()]);
  for (const result of results) {
    expect(result).toMatchObject({ status: 'rejected', reason: expect.any(AuthenticationError) });
  }
});

test('a token that is refused although it is new is not refreshed again', async () => {
  server.on(ME, problem(401, 'session_revoked')).on(REFRESH, json(200, authResponse('new', 'refresh-2')));
  await expect(client().auth.me()).rejects.toMatchObject({ status: 401, code: 'session_revoked' });
  expect([server.of(ME).length, server.of(REFRESH).length]).toEqual([2, 1]);
});

test('a refresh whose response is lost is not sent again: its token may have been used up', async () => {
  server.on(ME, onlyFor('new')).on(REFRESH, reset);
  await expect(client().auth.me()).rejects.toThrow(ConnectionError);
  expect(server.of(REFRESH)).toHaveLength(1);
});

test('a refresh is not aborted by one of those who wait for it', async () => {
  const abort = new AbortController();
  server.on(ME, onlyFor('new')).on(REFRESH, (response, received) => {
    abort.abort();
    json(200, authResponse('new', 'refresh-2'))(response, received);
  });
  const vr = client();
  const [aborted, other] = await Promise.allSettled([vr.auth.me({ signal: abort.signal }), vr.auth.me()]);
  expect(aborted).toMatchObject({ status: 'rejected', reason: abort.signal.reason });
  expect(other).toEqual({ status: 'fulfilled', value: USER });
});

test('a body is sent again after a refresh, under the same key', async () => {
  server.on(REFRESH, json(200, authResponse('new', 'refresh-2')));
  server.on('POST /api/v1/tasks', problem(401, 'expired'), json(201, { id: 'a' }));
  await client().tasks.create({ name: 'a', script_type: 'bash', script_content: 'true' });
  const [first, second] = server.of('POST /api/v1/tasks');
  expect(second!.body).toBe(first!.body);
  expect(second!.headers['idempotency-key']).toBe(first!.headers['idempotency-key']);
});

test('a wrong password does not refresh anything', async () => {
  server.on('POST /api/v1/auth/login', problem(401, 'invalid_credentials'));
  await expect(client().auth.login({ email: 'a@example.com', password: 'wrong' })).rejects.toThrow(AuthenticationError);
  expect(server.received).toHaveLength(1);
});

test('login begins a session, logout ends it', async () => {
  server.on('POST /api/v1/auth/login', json(200, authResponse('new', 'refresh-9'))).on(ME, onlyFor('new'));
  server.on('POST /api/v1/auth/logout', json(200, { message: 'bye' }));
  const vr = new VoidRunner({ baseUrl: server.url });
  await expect(vr.auth.refresh()).rejects.toThrow(TypeError);
  await vr.auth.login({ email: 'ada@example.com', password: 'correct horse' });
  expect(vr.auth.tokens).toEqual({ accessToken: 'new', refreshToken: 'refresh-9' });
  expect(await vr.auth.me()).toEqual(USER);
  await vr.auth.logout();
  expect(vr.auth.tokens).toBeNull();
  await expect(vr.auth.me()).rejects.toThrow(AuthenticationError);
});

test('an API key is never refreshed', async () => {
  server.on(ME, problem(401, 'invalid_key'));
  await expect(new VoidRunner({ baseUrl: server.url, apiKey: 'vr_a' }).auth.me()).rejects.toThrow(AuthenticationError);
  expect(server.received).toHaveLength(1);
});
