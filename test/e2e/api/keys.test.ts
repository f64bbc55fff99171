import { SCOPES } from '../../../src/http/scopes.js';
import { eventually } from '../../support/eventually.js';
import { Api, NO_WORKER, type Person } from './support/api.js';
import { asksForToken, type Route } from './support/contract.js';

const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

let api: Api;
let ada: Person;
let bob: Person;

beforeAll(async () => {
  api = await Api.start(NO_WORKER);
  [ada, bob] = [await api.register(), await api.register()];
});
afterAll(() => api.close());

interface Key {
  readonly id: string;
  readonly key: string;
}

const created = (owner: Person, scopes: readonly string[] = SCOPES, more: object = {}): Promise<Key> =>
  owner.ok('POST', '/keys', { name: 'ci', scopes, ...more });

const withKey = (key: string, method: string, path: string, body?: unknown) =>
  api.anonymous(method, path, body, { authorization: `Bearer ${key}` });

const closed = (): Route[] => api.contract.routes.filter(({ operation }) => asksForToken(operation));
const scopeOf = ({ operation }: Route): string | undefined =>
  /needs the scope `([^`]+)`/.exec(operation.description!)?.[1];
const forKeys = (): Route[] => closed().filter((route) => scopeOf(route) !== undefined);

const pathOf = ({ path }: Route, id = UNKNOWN_ID): string =>
  path
    .slice('/api/v1'.length)
    .replace('{id}', id)
    .replace('{stream}', 'stdout')
    .replace('{path}', 'x')
    .replace('{delivery}', id);

test('a key is shown once, works in either header, and is refused once it is revoked', async () => {
  const answer = await ada.send('POST', '/keys', { name: 'ci', scopes: ['tasks:read', 'tasks:read'] });
  expect(answer.status).toBe(201);
  const { id, key, ...shown } = answer.body;
  expect(answer.headers.get('location')).toBe(`/api/v1/keys/${id}`);
  expect(key).toMatch(/^vr_[0-9A-Za-z]{49}$/);
  expect(shown).toEqual({
    name: 'ci',
    prefix: key.slice(0, 7),
    scopes: ['tasks:read'],
    created_at: expect.any(String),
    expires_at: null,
  });

  expect((await withKey(key, 'GET', '/tasks')).status).toBe(200);
  expect((await api.anonymous('GET', '/tasks', undefined, { 'x-api-key': key })).status).toBe(200);
  await eventually(async () => expect((await ada.ok('GET', `/keys/${id}`)).last_used_at).not.toBeNull());
  const listed = await ada.ok('GET', '/keys');
  expect(listed.keys).toContainEqual({ id, ...shown, last_used_at: expect.any(String) });
  expect(JSON.stringify(listed)).not.toContain(key);

  expect((await ada.send('DELETE', `/keys/${id}`)).status).toBe(200);
  for (const { status, body } of [
    await withKey(key, 'GET', '/tasks'),
    await api.anonymous('GET', '/tasks', undefined, { 'x-api-key': key }),
  ]) {
    expect([status, body.error]).toEqual([401, 'Invalid or expired token']);
  }
  for (const method of ['GET', 'DELETE']) expect((await ada.send(method, `/keys/${id}`)).status).toBe(404);
});

test('every route takes a key with its scope, and no other', async () => {
  expect(forKeys().length).toBeGreaterThan(20);
  const keys = new Map(
    await Promise.all(
      SCOPES.map(async (scope) => {
        const others = SCOPES.filter((each) => each !== scope);
        return [scope as string, { only: await created(ada, [scope]), without: await created(ada, others) }] as const;
      }),
    ),
  );
  for (const route of forKeys()) {
    const { only, without } = keys.get(scopeOf(route)!)!;
    const refused = await withKey(without.key, route.method, pathOf(route));
    expect([route.path, refused.status, refused.body.type, refused.body.details]).toEqual([
      route.path,
      403,
      'urn:voidrunner:problem:missing_scope',
      { scope: scopeOf(route) },
    ]);
    expect(refused.headers.get('www-authenticate')).toContain(`scope="${scopeOf(route)}"`);
    api.contract.check(route.method, route.path, refused);
    const taken = await withKey(only.key, route.method, pathOf(route));
    expect([route.method, route.path, taken.status]).toEqual([
      route.method,
      route.path,
      expect.not.stringMatching(/^40[13]$/),
    ]);
    expect([401, 403]).not.toContain(taken.status);
  }
});

test('a key manages neither keys nor the account', async () => {
  const { id, key } = await created(ada);
  const routes = closed().filter((route) => scopeOf(route) === undefined);
  expect(routes.map(({ operation }) => operation.operationId).toSorted()).toEqual(
    ['changePassword', 'createKey', 'eraseAccount', 'getKey', 'listKeys', 'logout', 'me', 'revokeKey'].toSorted(),
  );
  for (const route of routes) {
    const { status, body } = await withKey(key, route.method, pathOf(route, id));
    expect([route.path, status, body.type]).toEqual([route.path, 403, 'urn:voidrunner:problem:key_not_allowed']);
  }
});

describe.each([
  ['expired', async () => (await created(ada, SCOPES, { expires_at: new Date(Date.now() + 300).toISOString() })).key],
  [
    'revoked',
    async () => {
      const { id, key } = await created(ada);
      await ada.ok('DELETE', `/keys/${id}`);
      return key;
    },
  ],
  ['mistyped', async () => (await created(ada)).key.replace(/.$/, (last) => (last === 'x' ? 'y' : 'x'))],
  ['unknown', async () => `vr_${'0'.repeat(49)}`],
  ['cut', async () => (await created(ada)).key.slice(0, -1)],
])('a key that is %s', (_, make) => {
  test('is a 401 on every route', async () => {
    const key = await make();
    await eventually(async () => expect((await withKey(key, 'GET', '/tasks')).status).toBe(401));
    for (const route of closed()) {
      const answer = await withKey(key, route.method, pathOf(route));
      api.contract.check(route.method, route.path, answer);
      expect([route.path, answer.status]).toEqual([route.path, 401]);
    }
  });
});

test('the key of another user is a 403 for that user’s objects, and cannot be managed', async () => {
  const { key } = await created(bob);
  const { id: taskId } = await ada.createTask();
  for (const route of forKeys().filter(({ path }) => path.includes('/tasks/{id}'))) {
    const { status } = await withKey(
      key,
      route.method,
      pathOf(route, taskId),
      route.method === 'PUT' ? { name: 'x' } : undefined,
    );
    expect([route.method, route.path, status]).toEqual([route.method, route.path, 403]);
  }
  const { id } = await created(ada);
  for (const method of ['GET', 'DELETE']) expect((await bob.send(method, `/keys/${id}`)).status).toBe(403);
  expect((await bob.ok('GET', '/keys')).keys.map((each: Key) => each.id)).not.toContain(id);
});

test('a key in a URL, or beside a token, is refused', async () => {
  const { key } = await created(ada);
  for (const path of [`/tasks?api_key=${key}`, `/tasks?x=1&x=${key}`, `/health?key=${key}`]) {
    const { status, body } = await ada.send('GET', path);
    expect([status, body.type]).toEqual([400, 'urn:voidrunner:problem:key_in_query']);
    expect(JSON.stringify(body)).not.toContain(key);
  }
  const both = await ada.send('GET', '/tasks', undefined, { 'x-api-key': key });
  expect([both.status, both.body.type]).toEqual([400, 'urn:voidrunner:problem:two_credentials']);
});

test('what a key does names it in the history, and so does the history of the user', async () => {
  const eve = await api.register();
  const { id: keyId, key } = await created(eve, ['tasks:write', 'events:read']);
  const { body: task } = await withKey(key, 'POST', '/tasks', { name: 'x', script_type: 'bash', script_content: ':' });
  const { store } = api.service.processes[0]!.infra;
  const [event] = await store.readStream({ type: 'task', id: task.id });
  expect(event!.metadata).toMatchObject({ actor: `user:${eve.id}`, key_id: keyId });
  await withKey(key, 'GET', `/tasks/${task.id}/events`);
  await eve.ok('DELETE', `/keys/${keyId}`);
  await eventually(async () => {
    const events = await store.readStream({ type: 'user', id: eve.id });
    expect(events.map(({ type }) => type).slice(2)).toEqual([
      'ApiKeyCreated',
      'ApiKeyUsedFromNewAddress',
      'ApiKeyRevoked',
    ]);
    expect(JSON.stringify(events.map(({ data }) => data))).not.toContain(key);
  });
});

test.each([
  [{ scopes: ['tasks:read'] }, 'name'],
  [{ name: '', scopes: ['tasks:read'] }, 'name'],
  [{ name: 'x'.repeat(101), scopes: ['tasks:read'] }, 'name'],
  [{ name: 'x' }, 'scopes'],
  [{ name: 'x', scopes: [] }, 'scopes'],
  [{ name: 'x', scopes: ['admin'] }, 'scopes.0'],
  [{ name: 'x', scopes: ['tasks:read'], expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
  [{ name: 'x', scopes: ['tasks:read'], expires_at: 'tomorrow' }, 'expires_at'],
  [{ name: 'x', scopes: ['tasks:read'], key: 'vr_mine' }, 'key'],
])('%j is a 400', async (body, field) => {
  const answer = await ada.send('POST', '/keys', body);
  expect([answer.status, answer.body.validation_errors[0].field]).toEqual([400, field]);
});

test('a user has at most fifty keys, also if they are created at the same time', async () => {
  const eve = await api.register();
  const answers = await Promise.all(
    Array.from({ length: 52 }, () => eve.send('POST', '/keys', { name: 'x', scopes: ['usage:read'] })),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(50);
  expect(answers.filter(({ body }) => body.type === 'urn:voidrunner:problem:too_many_keys')).toHaveLength(2);
  const { keys } = await eve.ok('GET', '/keys');
  await eve.ok('DELETE', `/keys/${keys[0].id}`);
  expect((await created(eve)).key).toMatch(/^vr_/);
});
