import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Redis } from 'ioredis';
import { connect, type NatsConnection } from 'nats';
import type { Pool } from 'pg';

import { createPool } from '../../src/platform/postgres/pool.js';
import { closeRedis } from '../../src/platform/redis/create-redis.js';
import { type ChildService, startChildService } from '../support/child-service.js';
import { eventually } from '../support/eventually.js';
import { everythingInRedis, everythingInStream, everythingInTable } from '../support/everything-stored.js';
import { freePort } from '../support/free-port.js';
import { testNamespace } from '../support/namespace.js';
import { PrivateNats, uniquePrefix } from '../support/nats.js';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.js';
import { PlantedSecrets } from '../support/planted-secrets.js';
import { PrivatePostgres } from '../support/private-postgres.js';
import { type PrivateRedis, startPrivateRedis } from '../support/redis.js';
import { sendToFacades } from '../support/secret-facades.js';
import { type ApiDocument, REQUEST_ID, SecretRequests } from '../support/secret-requests.js';

/** A task's name and description are part of its history: `TaskCreated` and `TaskUpdated`. */
const IN_THE_LOG = /\.(name|description|metadata|metadata\{name\})$/;

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
let requests: SecretRequests;
let metricsUrl: string;
const prefix = uniquePrefix();

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
      FACADES: 'piston,judge0',
      ...{ OTEL_TRACES_FILE: join(folder, 'traces', 'traces.jsonl'), OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
    },
    { logLevel: 'trace', onLine: (line) => logLines.push(line) },
  );
  const document = (await (await fetch(`${service.url}/swagger.json`)).json()) as ApiDocument;
  requests = new SecretRequests(secrets, { url: service.url!, document, postgres });
  redis = await redisServer.connect();
  connection = await connect({ servers: nats.url });
  pool = createPool({ ...postgres.options('owner'), size: 2 });
  // The server is stopped in this test: its message to idle connections may reach one that is just closing.
  pool.on('error', () => undefined);
  // First: later requests find the service without its database.
  await sendToFacades(service.url!, secrets);
  await requests.sendEverything();
}, 240_000);

afterAll(async () => {
  await service?.end();
  await pool?.end();
  await connection?.close();
  if (redis) await closeRedis(redis);
  await Promise.all([postgres?.remove(), nats?.remove(), redisServer?.stop(), receiver?.close()]);
  await rm(folder, { recursive: true, force: true });
});

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
  expect([...requests.called].toSorted()).toEqual(
    requests
      .operations()
      .map(({ operation }) => operation.operationId)
      .toSorted(),
  );
  const expected = [200, 201, 400, 401, 409, 503];
  expect(expected.filter((status) => !requests.statuses.has(status))).toEqual([]);
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
  expect(names.toSorted()).toEqual(['CHECKPOINTS', 'DLQ', 'EVENTS', 'OUTPUT'].map((name) => `${prefix}_${name}`));
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
