import { symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { ok, withId } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { PrivateNats } from '../../support/nats.js';
import { type PrivateRedis, startPrivateRedis } from '../../support/redis.js';
import { SocketProxy } from '../../support/socket-proxy.js';
import { Api, aTask, NO_WORKER, type Person } from './support/api.js';

let redis: PrivateRedis;
let nats: PrivateNats;
let postgres: SocketProxy;
let api: Api;
let ada: Person;

beforeAll(async () => {
  [redis, nats] = await Promise.all([startPrivateRedis(), PrivateNats.start()]);
  postgres = await SocketProxy.before(`tcp://${process.env['DB_HOST']}:${process.env['DB_PORT']}`);
  const socket = postgres.endpoint.slice('unix://'.length);
  // Where a Postgres client connects if its host is a folder.
  await symlink(socket, join(dirname(socket), '.s.PGSQL.5432'));
  await postgres.open();
  api = await Api.start({
    ...NO_WORKER,
    DB_HOST: dirname(socket),
    DB_PORT: '5432',
    REDIS_HOST: '127.0.0.1',
    REDIS_PORT: String(redis.port),
    REDIS_PASSWORD: '',
    NATS_URL: nats.url,
    NATS_USER: '',
    NATS_PASSWORD: '',
    RATE_LIMIT_ENABLED: 'true',
    QUEUE_RECONCILE_INTERVAL: '300ms',
  });
  ada = await api.register();
});
afterAll(async () => {
  await api.close();
  await Promise.all([redis.stop(), nats.remove(), postgres.remove()]);
});

const checks = async (): Promise<Record<string, string>> =>
  ((await (await fetch(`${api.service.url}/ready`)).json()) as { checks: Record<string, string> }).checks;

/** Every kind of command and read; each must succeed and be visible at once. */
async function useEverything(): Promise<void> {
  const { id } = await ada.createTask({ max_parallel: 2 });
  await ada.ok('PUT', `/tasks/${id}`, { name: 'changed' });
  const embedded = await ada.start(id);
  const external = await ada.start(id, { executor: 'external' });
  await ada.report(external.id, { status: 'completed', stdout: 'out' });
  expect((await ada.ok('GET', '/executions?limit=2')).executions).toMatchObject([
    { id: external.id, status: 'completed' },
    { id: embedded.id, status: 'pending' },
  ]);
  await ada.cancel(embedded.id);
  expect(await ada.task(id)).toMatchObject({ name: 'changed', status: 'pending' });
  expect((await ok(ada.api.GET('/api/v1/tasks/{id}/events', withId(id)))).events).toHaveLength(6);
  await ok(ada.api.DELETE('/api/v1/tasks/{id}', withId(id)));
  expect((await ada.send('GET', `/tasks/${id}`)).status).toBe(404);
}

test('with all services up, everything works', async () => {
  await useEverything();
  await eventually(async () =>
    expect(await checks()).toMatchObject({ database: 'ready', redis: 'ready', nats: 'ready' }),
  );
});

test('without Redis, commands and reads continue', async () => {
  await redis.kill();
  await eventually(async () => expect((await checks())['redis']).not.toBe('ready'));
  await useEverything();
  await redis.start();
  await eventually(async () => expect((await checks())['redis']).toBe('ready'));
  await useEverything();
});

test('without NATS, commands and reads continue, from Postgres alone', async () => {
  await nats.kill();
  await eventually(async () => expect((await checks())['nats']).not.toBe('ready'));
  await useEverything();
  await nats.start();
  await eventually(async () => expect((await checks())['nats']).toBe('ready'));
  await useEverything();
});

const expectRefusals = async (taskId: string): Promise<void> => {
  const requests = [
    ['POST', '/tasks', aTask],
    ['PUT', `/tasks/${taskId}`, { name: 'x' }],
    ['POST', `/tasks/${taskId}/executions`],
    ['DELETE', `/tasks/${taskId}`],
    ['GET', '/tasks'],
    ['GET', `/tasks/${taskId}`],
    ['GET', `/tasks/${taskId}/events`],
    ['POST', '/auth/logout'],
  ] as const;
  const refusals = await Promise.all(requests.map(([method, path, body]) => ada.send(method, path, body)));
  for (const { status, body, headers } of refusals) {
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(body).toMatchObject({ error: 'Service temporarily unavailable', details: { dependency: 'postgres' } });
  }
  const credentials = { email: 'new@example.com', password: 'correct horse battery' };
  const register = await api.anonymous('POST', '/auth/register', { ...credentials, name: 'New' });
  const login = await api.anonymous('POST', '/auth/login', credentials);
  expect([register.status, login.status]).toEqual([503, 503]);
};

const expectItSaysSo = async (): Promise<void> => {
  const { url } = api.service;
  await eventually(async () => expect((await checks())['database']).not.toBe('ready'));
  expect((await fetch(`${url}/ready`)).status).toBe(503);
  for (const path of ['/health', '/docs/json', '/api/v1/ping']) expect((await fetch(url + path)).status).toBe(200);
};

test('without Postgres, requests that need it are a 503 with Retry-After, and everything recovers', async () => {
  const { id } = await ada.createTask();
  const head = await api.head();
  await postgres.cut();
  await expectRefusals(id);
  await expectItSaysSo();
  // Invalid requests still get their own errors.
  expect((await api.anonymous('GET', '/tasks')).status).toBe(401);

  await postgres.open();
  await eventually(async () => expect((await checks())['database']).toBe('ready'));
  await eventually(async () => expect((await ada.send('GET', `/tasks/${id}`)).status).toBe(200));
  expect(await api.head()).toBe(head);
  await useEverything();
});

test('a Postgres that accepts connections but never responds has the same result after a while', async () => {
  await postgres.cut();
  await postgres.open({ forwarding: false });
  const answers = await Promise.all([ada.send('POST', '/tasks', aTask), ada.send('GET', '/tasks')]);
  expect(answers.map(({ status, headers }) => [status, headers.get('retry-after')])).toEqual([
    [503, '1'],
    [503, '1'],
  ]);
  await postgres.cut();
  await postgres.open();
  await eventually(useEverything, { timeoutMs: 20_000 });
});
