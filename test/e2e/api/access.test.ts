import { createHmac, randomUUID } from 'node:crypto';

import { ok, withId } from '../../support/api-client.js';
import { Api, aTask, type Person } from './support/api.js';
import { asksForToken, type Route } from './support/contract.js';

let api: Api;
let ada: Person;
let bob: Person;
let taskId: string;
let runId: string;
let batchId: string;
let keyId: string;
let webhookId: string;

beforeAll(async () => {
  api = await Api.start();
  [ada, bob] = [await api.register(), await api.register()];
  const run = await ada.startExternal();
  [taskId, runId] = [run.task_id, run.id];
  keyId = (await ada.ok('POST', '/keys', { name: 'ci', scopes: ['tasks:read'] })).id;
  webhookId = (await ada.ok('POST', '/webhooks', { url: 'https://example.com' })).id;
  batchId = (await ok(ada.api.POST('/api/v1/batches', { body: { items: [aTask] } }))).id;
});
afterAll(() => api.close());

const closed = (): Route[] => api.contract.routes.filter(({ operation }) => asksForToken(operation));

/** Of Ada's object: a dead letter has the id of its execution. */
const idIn = ({ path }: Pick<Route, 'path'>): string =>
  ({ tasks: taskId, batches: batchId, keys: keyId, webhooks: webhookId })[path.split('/')[3]!] ?? runId;

/** A path of the document with the ids of Ada's objects. */
const pathOf = (route: Route, id = idIn(route)): string =>
  route.path
    .slice('/api/v1'.length)
    .replace('{id}', id)
    .replace('{stream}', 'stdout')
    .replace('{delivery}', randomUUID())
    .replace(/stdin$/, 'stdin?eof=true');

const BODIES: Record<string, object> = {
  createTask: { name: 'x', script_type: 'bash', script_content: ':' },
  updateTask: { priority: 1 },
  reportExecution: { status: 'running' },
  updateWebhook: { include_output: true },
};

const inBase64 = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');

/** A token like the service's own, except for the changes. */
function token(changes: { header?: object; claims?: object; secret?: string } = {}): string {
  const { JWT_SECRET_KEY, JWT_ISSUER, JWT_AUDIENCE } = api.service.config;
  const now = Math.floor(Date.now() / 1_000);
  const [, mine] = ada.token.split('.');
  const { sid } = JSON.parse(Buffer.from(mine!, 'base64url').toString()) as { sid: string };
  const claims = { sub: ada.id, sid, typ: 'access', adm: false, iat: now, exp: now + 60 };
  const ours = { ...claims, iss: JWT_ISSUER, aud: JWT_AUDIENCE, ...changes.claims };
  const signed = `${inBase64({ alg: 'HS256', typ: 'JWT', ...changes.header })}.${inBase64(ours)}`;
  return `${signed}.${createHmac('sha256', changes.secret ?? JWT_SECRET_KEY)
    .update(signed)
    .digest('base64url')}`;
}

const PAST = Math.floor(Date.now() / 1_000) - 1;

const BAD_TOKENS: [string, () => string | undefined, string][] = [
  ['no token', () => undefined, 'authorization header required'],
  ['an empty header', () => '', 'authorization header required'],
  ['garbage', () => 'Bearer garbage', 'Invalid or expired token'],
  ['another scheme', () => `Basic ${ada.token}`, 'Invalid or expired token'],
  ['an expired token', () => `Bearer ${token({ claims: { exp: PAST } })}`, 'Invalid or expired token'],
  ['a token without an expiry', () => `Bearer ${token({ claims: { exp: undefined } })}`, 'Invalid or expired token'],
  ['a signature with another secret', () => `Bearer ${token({ secret: 'x'.repeat(64) })}`, 'Invalid or expired token'],
  ['no signature', () => `Bearer ${token().split('.').slice(0, 2).join('.')}.`, 'Invalid or expired token'],
  ['no algorithm', () => `Bearer ${token({ header: { alg: 'none' } })}`, 'Invalid or expired token'],
  ['another issuer', () => `Bearer ${token({ claims: { iss: 'x' } })}`, 'Invalid or expired token'],
  ['another audience', () => `Bearer ${token({ claims: { aud: 'x' } })}`, 'Invalid or expired token'],
  ['a refresh token', () => `Bearer ${ada.client.refreshToken}`, 'Invalid or expired token'],
];

test('the unmodified token is accepted', async () => {
  const answer = await api.anonymous('GET', '/auth/me', undefined, { authorization: `Bearer ${token()}` });
  expect([answer.status, answer.body.user.id]).toEqual([200, ada.id]);
});

test.each(BAD_TOKENS)('with %s every protected route is a 401', async (_what, authorization, error) => {
  const header = authorization();
  const head = await api.head();
  expect(closed().length).toBeGreaterThan(15);
  for (const route of closed()) {
    const headers: Record<string, string> = header === undefined ? {} : { authorization: header };
    const answer = await api.anonymous(route.method, pathOf(route), BODIES[route.operation.operationId!], headers);
    api.contract.check(route.method, route.path, answer);
    expect([route.path, answer.status, answer.body.error]).toEqual([route.path, 401, error]);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="voidrunner"/);
  }
  expect(await api.head()).toBe(head);
});

test('after a logout every protected route is a 401', async () => {
  const eve = await api.register();
  await eve.ok('POST', '/auth/logout');
  for (const route of closed()) {
    const { status, body } = await eve.send(route.method, pathOf(route), BODIES[route.operation.operationId!]);
    expect([route.path, status, body.error]).toEqual([route.path, 401, 'Invalid or expired token']);
  }
});

test('with a bad token the response does not reveal whether the body was valid', async () => {
  const bad = await api.anonymous('POST', '/tasks', '{', { authorization: 'Bearer garbage' });
  expect([401, 400]).toContain(bad.status);
  expect(JSON.stringify(bad.body)).not.toContain('script_content');
});

test('another user’s object is a 403 on every route, and stays unchanged', async () => {
  const head = await api.head();
  const routes = closed().filter(({ path }) => path.includes('{id}'));
  expect(routes.length).toBeGreaterThan(10);
  for (const route of routes) {
    const { status, body } = await bob.send(route.method, pathOf(route), BODIES[route.operation.operationId!]);
    expect([route.method, route.path, status, body.error]).toEqual([route.method, route.path, 403, 'Access denied']);
  }
  expect(await api.head()).toBe(head);
});

test('no list contains another user’s objects', async () => {
  await bob.createTask({ name: 'bob’s' });
  expect(await ok(bob.api.GET('/api/v1/tasks'))).toMatchObject({ tasks: [{ name: 'bob’s' }], total: 1 });
  expect(await ok(bob.api.GET('/api/v1/executions'))).toMatchObject({ executions: [], total: 0 });
  expect(await bob.ok('GET', '/tasks?cursor=')).toMatchObject({ tasks: [{ name: 'bob’s' }] });
});

test('an object that does not exist is a 404 on every route', async () => {
  for (const route of closed().filter(({ path }) => path.includes('{id}'))) {
    const path = pathOf(route, randomUUID());
    const { status, body } = await ada.send(route.method, path, BODIES[route.operation.operationId!]);
    const kind =
      { tasks: 'Task', batches: 'Batch', keys: 'API key', webhooks: 'Webhook' }[path.split('/')[1]!] ?? 'Execution';
    const error = `${kind} not found`;
    expect([route.method, route.path, status, body.error]).toEqual([route.method, route.path, 404, error]);
  }
});

test('an admin may do everything that the owner may', async () => {
  const admin = await api.registerAdmin();
  for (const route of closed().filter(({ method, path }) => method === 'GET' && path.includes('{id}'))) {
    if (/\/(dead-letters|files)\//.test(route.path)) continue;
    expect([route.path, (await admin.send(route.method, pathOf(route))).status]).toEqual([route.path, 200]);
  }
  expect((await admin.send('DELETE', `/executions/${runId}`)).status).toBe(200);
  expect((await admin.send('PUT', `/tasks/${taskId}`, { script_content: 'print(2)' })).status).toBe(200);
  expect(await ada.task(taskId)).toMatchObject({ script_content: 'print(2)', user_id: ada.id });
  const { events } = await ok(ada.api.GET('/api/v1/tasks/{id}/events', withId(taskId)));
  expect(events.at(-1)!.actor).toBe(`user:${admin.id}`);
});
