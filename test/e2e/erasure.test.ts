import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Redis } from 'ioredis';
import { connect, type NatsConnection } from 'nats';
import type { Pool } from 'pg';

import { createPool } from '../../src/platform/postgres/pool.js';
import { closeRedis } from '../../src/platform/redis/create-redis.js';
import { call } from '../support/api-client.js';
import { type ChildService, startChildService } from '../support/child-service.js';
import { voidrunner } from '../support/cli.js';
import { ErasureMarkers } from '../support/erasure-markers.js';
import { eventually } from '../support/eventually.js';
import { everythingInRedis, everythingInStream, everythingInTable } from '../support/everything-stored.js';
import { testNamespace } from '../support/namespace.js';
import { PrivateNats, uniquePrefix } from '../support/nats.js';
import { PrivatePostgres } from '../support/private-postgres.js';
import { type PrivateRedis, startPrivateRedis } from '../support/redis.js';

/** Texts that the log holds in plain text: docs/security.md, "Encrypted names". A client chooses its request ids. */
const IN_THE_LOG = [
  'request id',
  'suite task name',
  'task description',
  'task metadata name',
  'task metadata value',
  'task name',
  'kept file path',
  'changed task name',
  'waiting task name',
].toSorted();

const markers = new ErasureMarkers();
const logLines: string[] = [];
const prefix = uniquePrefix();

let folder: string;
let env: NodeJS.ProcessEnv;
let postgres: PrivatePostgres;
let nats: PrivateNats;
let redisServer: PrivateRedis;
let service: ChildService;
let redis: Redis;
let connection: NatsConnection;
let pool: Pool;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidrunner-erasure-'));
  [postgres, nats, redisServer] = await Promise.all([
    PrivatePostgres.start(),
    PrivateNats.start(),
    startPrivateRedis([]),
  ]);
  env = {
    ...process.env,
    ...postgres.env,
    ...{ SERVER_PORT: '0', SERVER_ENV: 'test', METRICS_PORT: '0', RATE_LIMIT_ENABLED: 'true' },
    ...{ NATS_URL: nats.url, NATS_USER: '', NATS_PASSWORD: '', NATS_STREAM_PREFIX: prefix },
    ...{ NATS_EVENTS_MAX_BYTES: String(16 * 1024 ** 2), NATS_OUTPUT_MAX_BYTES: String(8 * 1024 ** 2) },
    ...{ REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redisServer.port), REDIS_PASSWORD: '', REDIS_DB: '0' },
    ...{ QUEUE_NAMESPACE: testNamespace(), EXECUTOR_POOL_SIZE: '0', EXECUTOR_CELL_REST: '500ms' },
    ...{ OTEL_TRACES_FILE: join(folder, 'traces.jsonl'), SERVER_OWN_WRITES_TIMEOUT: '15s' },
  };
  service = await startChildService(env, { logLevel: 'trace', onLine: (line) => logLines.push(line) });
  redis = await redisServer.connect();
  connection = await connect({ servers: nats.url });
  pool = createPool({ ...postgres.options('owner'), size: 2 });
}, 240_000);

afterAll(async () => {
  await service?.end();
  await pool?.end();
  await connection?.close();
  if (redis) await closeRedis(redis);
  await Promise.all([postgres?.remove(), nats?.remove(), redisServer?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

const plant = (field: string, wrap?: (text: string) => string): string => markers.plant(field, wrap);

async function send(method: string, path: string, body: unknown, token?: string): Promise<Record<string, any>> {
  const { body: answer } = await call<Record<string, any>>(`${service.url}/api/v1${path}`, method, body, {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(method === 'POST' && { 'idempotency-key': plant(`idempotency key of ${path.split('?')[0]}`) }),
    'user-agent': plant('user agent'),
    'x-request-id': plant('request id'),
  });
  return answer;
}

/** Prints all that it gets, keeps a file, and fails for good. */
const scriptOf = (path: string): string => `# ${plant('script')}
cat; cat *.txt; echo "$1" "$MARKED"; echo ${plant('stdout')}; echo ${plant('stderr')} >&2
mkdir -p out; echo ${plant('kept file content')} > out/${path}; exit 3`;

const inputOf = () => ({
  stdin: plant('stdin'),
  args: [plant('args')],
  env: { MARKED: plant('env value'), [plant('env name', (text) => `N${text}`)]: 'x' },
  files: [
    { path: plant('input file name', (text) => `${text}.txt`), content: plant('input file content'), encoding: 'utf8' },
  ],
});

const suiteOf = () => ({
  name: plant('suite task name'),
  script_type: 'bash',
  script_content: 'cat',
  tests: [{ name: plant('test name'), stdin: plant('test stdin'), expected_stdout: plant('test expected') }],
});

/** Everything that one person can put into the service. @returns the access token */
async function useEverything(email: string, password: string): Promise<string> {
  await send('POST', '/auth/register', { email, password, name: plant('name', (text) => `${text} "ü`) });
  await send('POST', '/auth/login', { email, password: plant('wrong password') });
  const { access_token: token } = await send('POST', '/auth/login', { email, password });
  await send('POST', '/keys', { name: plant('key name'), scopes: ['tasks:read'] }, token);
  const url = `https://hooks.invalid/${plant('webhook url')}`;
  await send('POST', '/webhooks', { url, description: plant('webhook description') }, token);

  const path = plant('kept file path');
  const task = await send(
    'POST',
    '/tasks',
    {
      name: plant('task name', (text) => `${text} "ü`),
      description: plant('task description'),
      metadata: { [plant('task metadata name')]: plant('task metadata value') },
      script_type: 'bash',
      script_content: scriptOf(path),
      retry: { max_attempts: 1, retry_on: ['exit_code'] },
    },
    token,
  );
  const run = { input: { ...inputOf(), outputs: ['out/*'] } };
  const failed = await send('POST', `/tasks/${task['id']}/executions?wait=60`, run, token);
  expect(failed).toMatchObject({ status: 'failed', dead_lettered: true });
  expect(failed['files']).toMatchObject([{ path: `out/${path}` }]);
  await send('PUT', `/tasks/${task['id']}`, { name: plant('changed task name') }, token);
  const suite = await send('POST', '/tasks', suiteOf(), token);
  const judged = await send('POST', `/tasks/${suite['id']}/executions?wait=60`, {}, token);
  expect(judged).toMatchObject({ status: 'completed', verdict: 'wrong_answer' });
  const external = await send('POST', `/tasks/${task['id']}/executions`, { executor: 'external' }, token);
  const report = {
    status: 'failed',
    return_code: 1,
    stdout: plant('reported stdout'),
    stderr: plant('reported stderr'),
  };
  expect(await send('PUT', `/executions/${external['id']}`, report, token)).toMatchObject({ status: 'failed' });
  await waiting(token);
  return token;
}

const aTask = () => ({
  name: plant('waiting task name'),
  script_type: 'bash',
  script_content: `echo ${plant('stdout of a run under way')} # ${plant('script of a run under way')}\nsleep 600`,
  timeout_seconds: 600,
});

/** One runs and prints; one waits for it. */
async function waiting(token: string): Promise<void> {
  const { id } = await send('POST', '/executions', aTask(), token);
  await eventually(async () =>
    expect(await send('GET', `/executions/${id}`, undefined, token)).toMatchObject({ status: 'running' }),
  );
}

async function tablesOf(): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
  );
  return rows.map(({ name }) => name);
}

async function everywhere(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const table of await tablesOf()) found[table] = markers.foundIn(await everythingInTable(pool, table));
  for await (const name of (await connection.jetstreamManager()).streams.names())
    found[name.replace(prefix, 'STREAM')] = markers.foundIn(await everythingInStream(connection, name));
  found['redis'] = markers.foundIn(await everythingInRedis(redis));
  found['log'] = markers.foundIn(logLines.join('\n'));
  found['traces'] = markers.foundIn(await readFile(join(folder, 'traces.jsonl'), 'utf8'));
  return Object.fromEntries(Object.entries(found).filter(([, fields]) => fields.length > 0));
}

const fieldsOf = (found: Record<string, string[]>): string[] => [...new Set(Object.values(found).flat())].toSorted();

test('markers are found in every form', () => {
  const own = new ErasureMarkers();
  const text = own.plant('a', (marker) => `${marker} "ü`);
  const forms = [text, JSON.stringify({ text }), Buffer.from(text).toString('hex')];
  for (const before of ['', 'x', 'xy']) forms.push(Buffer.from(`${before}${text} and more`).toString('base64'));
  for (const form of forms) expect(own.foundIn(`… ${form} …`)).toEqual(['a']);
  expect(own.foundIn('something else')).toEqual([]);
});

test('after the erasure no text of the account is left, except those of its tasks’ definitions', async () => {
  const [email, password] = [plant('email', (text) => `${text}@example.com`), plant('password')];
  const token = await useEverything(email, password);
  const before = await everywhere();
  expect(fieldsOf(before)).toEqual(expect.arrayContaining(['email', 'key name', 'name', 'stdout of a run under way']));

  expect(await send('DELETE', '/auth/me', { password }, token)).toEqual({ message: 'Account erased successfully' });

  await eventually(async () => expect(fieldsOf(await everywhere())).toEqual(IN_THE_LOG), { timeoutMs: 60_000 });
  const active = `select from read.executions where status in ('pending', 'running')`;
  await eventually(async () => expect((await pool.query(active)).rows).toEqual([]));
  for (const table of ['read.webhooks', 'es.payloads', 'es.compiled_programs'])
    expect([table, (await pool.query(`select from ${table}`)).rows]).toEqual([table, []]);
  const left = `select from read.webhook_deliveries where status = 'pending'`;
  await eventually(async () => expect((await pool.query(left)).rows).toEqual([]));
  await eventually(async () => expect(await voidrunner(env, ['verify'])).toMatchObject({ code: 0 }), {
    timeoutMs: 30_000,
  });
}, 240_000);
