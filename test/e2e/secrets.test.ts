import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Redis } from 'ioredis';
import { connect, type NatsConnection } from 'nats';
import { Pool } from 'pg';

import { closeRedis } from '../../src/platform/redis/create-redis.js';
import { call } from '../support/api-client.js';
import { type ChildService, startChildService } from '../support/child-service.js';
import { eventually } from '../support/eventually.js';
import { everythingInRedis, everythingInStream, everythingInTable } from '../support/everything-stored.js';
import { freePort } from '../support/free-port.js';
import { testNamespace } from '../support/namespace.js';
import { PrivateNats, uniquePrefix } from '../support/nats.js';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.js';
import { PlantedSecrets, type Schema } from '../support/planted-secrets.js';
import { PrivatePostgres } from '../support/private-postgres.js';
import { type PrivateRedis, startPrivateRedis } from '../support/redis.js';

interface Parameter {
  readonly name: string;
  readonly in: string;
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** A task's name and description are part of its history: `TaskCreated` and `TaskUpdated`. */
const IN_THE_LOG = /\.(name|description|metadata|metadata\{name\})$/;
/** A client chooses its request id to find the request again: in the log, and in the events it caused. */
const REQUEST_ID = 'X-Request-ID';

const secrets = new PlantedSecrets();
const logLines: string[] = [];

let folder: string;
let postgres: PrivatePostgres;
let nats: PrivateNats;
let redisServer: PrivateRedis;
let receiver: OtlpReceiver;
let service: ChildService;
let redis: Redis;
let connection: NatsConnection;
let pool: Pool;
let document: Document;
let metricsUrl: string;
const prefix = uniquePrefix();
const called = new Set<string>();
const statuses = new Map<number, number>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidrunner-secrets-'));
  [postgres, nats, redisServer, receiver] = await Promise.all([
    PrivatePostgres.start(),
    PrivateNats.start(),
    startPrivateRedis(['--logfile', join(folder, 'redis.log'), '--loglevel', 'verbose']),
    startOtlpReceiver(),
  ]);
  const metricsPort = await freePort();
  metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`;
  service = await startChildService(
    {
      ...process.env,
      ...postgres.env,
      ...{ SERVER_PORT: '0', SERVER_ENV: 'test', METRICS_PORT: String(metricsPort), RATE_LIMIT_ENABLED: 'true' },
      ...{ NATS_URL: nats.url, NATS_USER: '', NATS_PASSWORD: '', NATS_STREAM_PREFIX: prefix },
      ...{ NATS_EVENTS_MAX_BYTES: String(16 * 1024 ** 2), NATS_OUTPUT_MAX_BYTES: String(8 * 1024 ** 2) },
      ...{ REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redisServer.port), REDIS_PASSWORD: '', REDIS_DB: '0' },
      ...{ QUEUE_NAMESPACE: testNamespace(), EXECUTOR_POOL_SIZE: '0', EXECUTOR_CELL_REST: '500ms' },
      ...{ OTEL_TRACES_FILE: join(folder, 'traces', 'traces.jsonl'), OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
    },
    { logLevel: 'trace', onLine: (line) => logLines.push(line) },
  );
  document = (await (await fetch(`${service.url}/swagger.json`)).json()) as Document;
  redis = await redisServer.connect();
  connection = await connect({ servers: nats.url });
  pool = new Pool({ ...postgres.options('owner'), max: 2 });
  // The server is stopped in this test: its message to idle connections may reach one that is just closing.
  pool.on('error', () => undefined);
  await sendEverything();
}, 240_000);

afterAll(async () => {
  await service?.end();
  await pool?.end();
  await connection?.close();
  if (redis) await closeRedis(redis);
  await Promise.all([postgres?.remove(), nats?.remove(), redisServer?.stop(), receiver?.close()]);
  await rm(folder, { recursive: true, force: true });
});

/** A request with a secret in every place outside the body. */
async function send(
  operationId: string,
  path: string,
  body?: unknown,
  { method = methodOf(operationId), token = '' }: { method?: string; token?: string } = {},
): Promise<Record<string, any>> {
  const header = (name: string): string => secrets.plant(`${operationId} ${name}`);
  const query = path.includes('?') ? '' : `?${header('query')}=${header('query value')}`;
  const answer = await call<Record<string, any>>(`${service.url}${path}`, method, body, {
    ...(token !== '' && { authorization: `Bearer ${token}` }),
    ...(method === 'POST' && { 'idempotency-key': header('Idempotency-Key') }),
    'x-request-id': secrets.plant(`${operationId} ${REQUEST_ID}`),
    'user-agent': header('User-Agent'),
    'x-hub-signature-256': header('X-Hub-Signature-256'),
    'x-forwarded-for': header('X-Forwarded-For'),
    'x-forwarded-host': header('X-Forwarded-Host'),
    forwarded: `for=${header('Forwarded')}`,
    cookie: `session=${header('Cookie')}`,
    referer: `https://example.com/?${header('Referer')}`,
    tracestate: `vendor=${header('tracestate')}`,
    baggage: `key=${header('baggage')}`,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  });
  called.add(operationId);
  count(answer.status);
  // The same with an unknown query parameter: a 400 that quotes it.
  if (query !== '') {
    await fetch(`${service.url}${path}${query}`, { method, headers: { authorization: `Bearer ${token}` } });
  }
  return answer.body;
}

const count = (status: number): void => void statuses.set(status, (statuses.get(status) ?? 0) + 1);

const operations = (): { method: string; path: string; operation: Operation }[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );

const methodOf = (operationId: string): string =>
  operations().find(({ operation }) => operation.operationId === operationId)!.method;

function bodyOf(operationId: string): Record<string, any> {
  const { operation } = operations().find((found) => found.operation.operationId === operationId)!;
  const schema = operation.requestBody?.content['application/json']?.schema ?? {};
  return secrets.valueOf(schema, document.components.schemas, operationId) as Record<string, any>;
}

/** A task that reads its input and prints some of it. */
function taskBody(operationId: string): Record<string, any> {
  const body = bodyOf(operationId);
  const script = `cat; cat *.txt; echo "$1"; env; echo ${secrets.plant('stdout')}; echo ${secrets.plant('stderr')} >&2; exit 3`;
  return {
    ...body,
    script_type: 'bash',
    script_content: `# ${body['script_content']}\n${script}`,
    retry: { max_attempts: 1, initial_delay_ms: 0, backoff_factor: 1, max_delay_ms: 0, retry_on: ['exit_code'] },
    limits: { memory_mb: 64, cpus: 1, pids: 32 },
    timeout_seconds: 30,
    ...(body['input'] !== undefined && { input: inputOf(body['input']) }),
  };
}

/** Everything that the schema allows for one execution. */
function inputOf(input: Record<string, any>): Record<string, any> {
  const { stdin, args, env, files } = input;
  const content = secrets.plant('input.files.content');
  return { stdin, args, env, files: [{ ...files[0], path: `${files[0].path}.txt`, content, encoding: 'utf8' }] };
}

async function register(): Promise<{ token: string; refresh: string; email: string; password: string }> {
  const body = bodyOf('register');
  const account = { ...body, email: `${body['email']}@example.com`, password: `${body['password']} a` };
  // Two at a time, so that one of them is a conflict.
  const [one, other] = await Promise.all([1, 2].map(() => send('register', '/api/v1/auth/register', account)));
  const granted = one!['access_token'] === undefined ? other! : one!;
  return { ...remember(granted), email: account.email, password: account.password };
}

function remember(granted: Record<string, any>): { token: string; refresh: string } {
  const { access_token: token, refresh_token: refresh } = granted as Record<string, string>;
  // All tokens have the same header, and the payload contains only ids.
  for (const [name, value] of Object.entries({ token, refresh })) {
    secrets.add(value!.split('.')[2]!, `the ${name} token`);
    secrets.add(value!, `the whole ${name} token`);
  }
  return { token: token!, refresh: refresh! };
}

async function sendEverything(): Promise<void> {
  const { token: first, refresh, email, password } = await register();
  await send('login', '/api/v1/auth/login', { email, password: `${secrets.plant('login.password')} wrong` });
  remember(await send('login', '/api/v1/auth/login', { email, password }));
  const { token } = remember(await send('refresh', '/api/v1/auth/refresh', { refresh_token: refresh }));
  await send('refresh', '/api/v1/auth/refresh', { refresh_token: `${refresh}x` });
  const as = { token };
  await send('me', '/api/v1/auth/me', undefined, as);

  const task = await send('createTask', '/api/v1/tasks', taskBody('createTask'), as);
  const path = `/api/v1/tasks/${task['id']}`;
  await send('updateTask', path, taskBody('updateTask'), as);
  const given = { input: inputOf(bodyOf('startExecution')['input'] as Record<string, any>) };
  const run = await send('startExecution', `${path}/executions?wait=60`, given, as);
  expect(run).toMatchObject({ status: 'failed', dead_lettered: true });
  expect(secrets.foundIn(JSON.stringify(run))).toEqual(expect.arrayContaining(['stdout', 'stderr']));
  const once = await send('runOnce', '/api/v1/executions?wait=60', taskBody('runOnce'), as);
  await eventually(async () => expect((await get(`/api/v1/dead-letters/${once['id']}`, token)).status).toBe(200));

  const external = await send('startExecution', `${path}/executions`, { executor: 'external' }, as);
  await send('reportExecution', `/api/v1/executions/${external['id']}`, bodyOf('reportExecution'), as);
  const report = {
    status: 'failed',
    return_code: 1,
    stdout: secrets.plant('report.stdout'),
    stderr: secrets.plant('report.stderr'),
  };
  await send('reportExecution', `/api/v1/executions/${external['id']}`, report, as);
  const executions = `/api/v1/executions/${run['id']}`;
  await send('executionOutput', `${executions}/output/stdout?follow=true`, undefined, as);
  await send('redriveDeadLetter', `/api/v1/dead-letters/${run['id']}/redrive`, undefined, as);
  await send('cancelExecution', executions, undefined, { ...as, method: 'DELETE' });
  await send('discardDeadLetter', `/api/v1/dead-letters/${once['id']}`, undefined, { ...as, method: 'DELETE' });
  await sendTheRest({ task: task['id'] as string, execution: run['id'] as string }, token);
  // Another user: the request may end a session.
  await sendBroken((await register()).token);
  await sendDuringOutage(token);
  await send('logout', '/api/v1/auth/logout', {}, { token: first });
}

const get = (path: string, token: string) =>
  call(`${service.url}${path}`, 'GET', undefined, { authorization: `Bearer ${token}` });

/** Every operation not sent so far, including new ones: with a body generated from its schema, if it has one. */
async function sendTheRest(ids: { task: string; execution: string }, token: string): Promise<void> {
  for (const { method, path, operation } of operations()) {
    const { operationId } = operation;
    if (called.has(operationId) || operationId === 'logout') continue;
    const id = path.includes('/tasks/') ? ids.task : ids.execution;
    const filled = path.replace('{id}', id).replace(/\{\w+\}/, 'stdout');
    const body = operation.requestBody ? bodyOf(operationId) : undefined;
    await send(operationId, filled, body, { method, token });
  }
}

/** Secrets in unexpected places: in paths, ids, queries, invalid JSON and unknown members. */
async function sendBroken(token: string): Promise<void> {
  const at = async (path: string, init: RequestInit = {}): Promise<void> => {
    const headers = { authorization: `Bearer ${token}`, ...init.headers };
    count((await fetch(`${service.url}${path}`, { ...init, headers })).status);
  };
  const json = { 'content-type': 'application/json' };
  for (const { method, path, operation } of operations()) {
    const plant = (what: string): string => secrets.plant(`${operation.operationId} broken ${what}`);
    await at(
      path.replace(/\{\w+\}/g, () => plant('path')),
      { method },
    );
    const query = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
    for (const { name } of query) await at(`${path.replace(/\{\w+\}/g, '1')}?${name}=${plant(name)}`, { method });
    if (!operation.requestBody) continue;
    const url = path.replace(/\{\w+\}/g, 'stdout');
    await at(url, { method, headers: json, body: `{"a": ${plant('json')}` });
    await at(url, { method, headers: json, body: JSON.stringify({ [plant('member')]: plant('value') }) });
  }
  await at(`/${secrets.plant('unknown path')}?${secrets.plant('unknown query')}`);
  await at('/api/v1/auth/me', { headers: { authorization: `Bearer ${secrets.plant('a token that is none')}` } });
  await at('/api/v1/auth/me', { headers: { authorization: `Basic ${secrets.plant('other credentials')}` } });
}

/** Errors of a Postgres that disconnects during a statement, and of one that is unreachable. */
async function sendDuringOutage(token: string): Promise<void> {
  const account = (): unknown => {
    const [email, password, name] = ['email', 'password', 'name'].map((field) => secrets.plant(`outage ${field}`));
    return { email: `${email}@example.com`, password, name };
  };
  const requests = [1, 2, 3, 4].map(() => send('register', '/api/v1/auth/register', account()));
  await postgres.stop();
  await Promise.all(requests);
  await send('register', '/api/v1/auth/register', account());
  await send('createTask', '/api/v1/tasks', taskBody('createTask'), { token });
  await postgres.resume();
  await eventually(async () => expect((await get('/api/v1/auth/me', token)).status).toBe(200), { timeoutMs: 30_000 });
}

/** Spans are exported once a second. */
async function spansHaveLeft(): Promise<void> {
  const { trace_id } = await traced();
  await eventually(() => expect(receiver.spansOf(trace_id).length).toBeGreaterThan(0), { timeoutMs: 20_000 });
}

async function traced(): Promise<{ trace_id: string }> {
  const trace_id = '11111111111111111111111111111111';
  await fetch(`${service.url}/api/v1/tasks`, { headers: { traceparent: `00-${trace_id}-b7ad6b7169203331-01` } });
  return { trace_id };
}

const allowed = (found: string[], pattern: RegExp): string[] => found.filter((field) => !pattern.test(field));
const NOTHING = /^$/;
const ANY_REQUEST_ID = new RegExp(`${REQUEST_ID}$`);

test('secrets are sent in every field of every operation, and all kinds of responses occur', () => {
  expect([...called].toSorted()).toEqual(
    operations()
      .map(({ operation }) => operation.operationId)
      .toSorted(),
  );
  const expected = [200, 201, 400, 401, 409, 503];
  expect(expected.filter((status) => !statuses.has(status))).toEqual([]);
  expect(secrets.fields.length).toBeGreaterThan(300);
});

test('no span contains a secret, neither in the file nor at a collector', async () => {
  await spansHaveLeft();
  const traces = join(folder, 'traces', 'traces.jsonl');
  const text = await readFile(traces, 'utf8');
  const sent = receiver.received.join('\n');
  // The statements of the ORM are among them.
  for (const spans of [text, sent]) expect(spans).toContain('insert into \\"identity\\".\\"users\\"');
  expect(allowed(secrets.foundIn(text), NOTHING)).toEqual([]);
  expect(allowed(secrets.foundIn(sent), NOTHING)).toEqual([]);
  expect(text).not.toContain('argon2');
  expect(((await stat(traces)).mode & 0o777).toString(8)).toBe('600');
});

test('no log contains one: the service’s at level trace, Postgres’s, NATS’s, Redis’s', async () => {
  const own = logLines.join('\n');
  expect(own).toContain('"msg":"request"');
  expect(own).toContain('dependency unavailable');
  expect(allowed(secrets.foundIn(own), ANY_REQUEST_ID)).toEqual([]);
  expect(secrets.foundIn(own).some((field) => ANY_REQUEST_ID.test(field))).toBe(true);
  const others = {
    postgres: await postgres.log(),
    nats: await nats.log(),
    redis: await readFile(join(folder, 'redis.log'), 'utf8'),
  };
  for (const [name, log] of Object.entries(others)) expect([name, secrets.foundIn(log)]).toEqual([name, []]);
  expect(others.postgres).toContain('database system is ready');
  expect(others.postgres).not.toMatch(/STATEMENT|DETAIL|argon2/);
});

test('events contain only what a task’s owner wrote in its description', async () => {
  const events = await everythingInTable(pool, 'es.events');
  const found = secrets.foundIn(events);
  expect(found).toEqual(expect.arrayContaining(['createTask.name', 'createTask.metadata', 'updateTask.description']));
  expect(allowed(allowed(found, IN_THE_LOG), ANY_REQUEST_ID)).toEqual([]);
  for (const table of [
    'es.payloads',
    'read.parked',
    'read.executions',
    'identity.security_facts',
    'identity.sessions',
  ]) {
    expect([table, allowed(secrets.foundIn(await everythingInTable(pool, table)), ANY_REQUEST_ID)]).toEqual([
      table,
      [],
    ]);
  }
});

test('nothing in Redis contains one', async () => {
  const text = await everythingInRedis(redis);
  expect(text.length).toBeGreaterThan(100);
  expect(secrets.foundIn(text)).toEqual([]);
});

test('the streams of NATS contain what the log contains; only the output stream contains output', async () => {
  const names: string[] = [];
  for await (const name of (await connection.jetstreamManager()).streams.names()) names.push(name);
  expect(names.toSorted()).toEqual([`${prefix}_DLQ`, `${prefix}_EVENTS`, `${prefix}_OUTPUT`]);
  for (const name of names) {
    const found = secrets.foundIn(await everythingInStream(connection, name));
    const rest = allowed(allowed(found, IN_THE_LOG), ANY_REQUEST_ID);
    // Output printed just before the end may come too late to be published.
    if (name === `${prefix}_OUTPUT`) expect(rest).toContain('startExecution.input.stdin');
    else expect([name, rest]).toEqual([name, []]);
  }
});

test('no metric contains one', async () => {
  const text = await (await fetch(metricsUrl)).text();
  expect(text).toContain('voidrunner_log_position');
  expect(secrets.foundIn(text)).toEqual([]);
});
