import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';

import { ok, withId } from '../../support/api-client.js';
import { Api, aTask, NO_WORKER, type Person } from './support/api.js';
import { deadLetterOf } from './support/dead-letter.js';
import { redeliverPath } from './support/deliveries.js';
import { interactiveRun } from './support/interactive-run.js';

let api: Api;
let ada: Person;
let bob: Person;

beforeAll(async () => {
  // The test starts attempts itself, and no worker renews their leases.
  api = await Api.start({ ...NO_WORKER, QUEUE_LEASE_DURATION: '1h' });
  [ada, bob] = [await api.register(), await api.register()];
});
afterAll(() => api.close());

const under = (key: string) => ({ 'idempotency-key': key });
/** Text is sent as such. */
const typeOf = (body: unknown): Record<string, string> =>
  typeof body === 'string' ? { 'content-type': 'text/plain' } : {};
const replayed = ({ headers }: { headers: Headers }) => headers.get('idempotent-replayed') === 'true';

const aWebhook = async () => (await ada.ok('POST', '/webhooks', { url: 'https://example.com' })).id as string;

/**
 * What persons recorded after a position: a failure names it. The reconciler records as well: attempts of the runs that
 * wait for input are lost after half a minute, since no worker runs them.
 */
async function recordedAfter(position: bigint): Promise<string[]> {
  await api.head();
  const events = await api.service.processes[0]!.infra.store.readAll(position, 20);
  return events
    .filter(({ metadata }) => metadata.actor.startsWith('user:'))
    .map(({ type, metadata }) => `${type} by ${metadata.actor}`);
}

type Given = [path: string, body?: object | string];

/** One request per operation that accepts a key, such that a second one would be executed or refused. */
const REQUESTS: Record<string, () => Promise<Given>> = {
  createTask: async () => ['/tasks', aTask],
  startExecution: async () => [`/tasks/${(await ada.createTask()).id}/executions`, { executor: 'external' }],
  rerunExecution: async () => {
    const { id } = await ada.startExternal();
    await ada.report(id, { status: 'completed', return_code: 0 });
    return [`/executions/${id}/rerun`];
  },
  createBatch: async () => ['/batches', { items: [aTask, { ...aTask, input: { args: ['x'] } }] }],
  rerunExecutions: async () => {
    const { id, task_id } = await ada.startExternal();
    await ada.report(id, { status: 'completed', return_code: 0 });
    // While its task is busy, nothing of the batch is started, and the log does not grow meanwhile.
    await ada.start(task_id, { executor: 'external' });
    return ['/executions/rerun', { filter: { task_id } }];
  },
  runOnce: async () => ['/executions', { ...aTask, input: { args: ['x'] } }],
  sendStdin: async () => [`/executions/${await interactiveRun(api, ada)}/stdin`, 'text'],
  createWebhook: async () => ['/webhooks', { url: 'https://example.com' }],
  testWebhook: async () => [`/webhooks/${await aWebhook()}/test`],
  rotateWebhookSecret: async () => [`/webhooks/${await aWebhook()}/rotate-secret`],
  redeliverWebhook: async () => [await redeliverPath(api, ada)],
  redriveDeadLetter: async () => [`/dead-letters/${await deadLetterOf(api, ada)}/redrive`],
};

// The response to the creation of an API key has a secret that nobody can read again.
test('every POST outside /auth and /keys documents the Idempotency-Key', () => {
  const honours = api.contract.routes.filter(({ operation }) => JSON.stringify(operation).includes('Idempotency-Key'));
  const posts = api.contract.routes.filter(
    ({ method, path }) => method === 'POST' && !/\/(auth|keys)(\/|$)/.test(path),
  );
  expect(honours).toEqual(posts);
  expect(posts.map(({ operation }) => operation.operationId).toSorted()).toEqual(Object.keys(REQUESTS).toSorted());
});

describe.each(Object.entries(REQUESTS))('%s', (_, request) => {
  test('is executed once per key, and every repeat gets the same response', async () => {
    const [path, body] = await request();
    const headers = { ...under(randomUUID()), ...typeOf(body) };
    const first = await ada.send('POST', path, body, headers);
    expect(first.status).toBeLessThan(300);
    const head = await api.head();
    const second = await ada.send('POST', path, body, headers);
    expect([replayed(first), replayed(second)]).toEqual([false, true]);
    expect([second.status, second.body]).toEqual([first.status, first.body]);
    for (const name of ['location', 'etag']) expect(second.headers.get(name)).toBe(first.headers.get(name));
    expect(await recordedAfter(head)).toEqual([]);
  });

  test('is the same request in every form of its URL', async () => {
    const [path, body] = await request();
    const headers = { ...under(randomUUID()), ...typeOf(body) };
    const first = await ada.send('POST', path, body, headers);
    const head = await api.head();
    for (const target of spellingsOf(`/api/v1${path}`)) {
      const again = await sendTo(target, body, headers);
      expect([target, again.status, again.replayed, again.id]).toEqual([target, first.status, 'true', first.body.id]);
    }
    expect(await recordedAfter(head)).toEqual([]);
  });

  test('with another body is a 422 that changes nothing', async () => {
    const [path, body] = await request();
    const headers = { ...under(randomUUID()), ...typeOf(body) };
    await ada.send('POST', path, body, headers);
    const head = await api.head();
    const other = changed(body);
    const { status, body: problem } = await ada.send('POST', path, other, headers);
    expect([status, problem.error]).toEqual([422, 'Idempotency-Key was used for another request']);
    expect(await recordedAfter(head)).toEqual([]);
  });

  test('concurrent requests with one key are executed once', async () => {
    const [path, body] = await request();
    const headers = { ...under(randomUUID()), ...typeOf(body) };
    const answers = await Promise.all(Array.from({ length: 12 }, () => ada.send('POST', path, body, headers)));
    for (const answer of answers) expect([answer.status, answer.body]).toEqual([answers[0]!.status, answers[0]!.body]);
    expect(answers.filter((answer) => !replayed(answer))).toHaveLength(1);
  });
});

/** Another valid body. */
function changed(body: Given[1]): object | string {
  if (typeof body === 'string') return `${body} and more`;
  if (body === undefined) return {};
  if ('url' in body) return { ...body, include_output: true };
  if ('items' in body) return { items: [aTask] };
  if ('filter' in body) return { ...body, limit: 7 };
  return { ...body, ...('name' in body ? { name: 'other' } : { input: {} }) };
}

/** Forms of one path that clients and proxies write: all of them are the same route. */
const spellingsOf = (path: string): string[] => [
  `${path}/`,
  path.replace(/[0-9a-f-]{36}/, (id) => id.toUpperCase()),
  path.replace('/tasks', '/%74asks').replace('/executions', '/%65xecutions').replace('/dead-', '/%64ead-'),
  path.replace(/[0-9a-f-]{36}/, (id) => id.replaceAll('-', '%2D')),
  `http://proxied.example${path}`,
  `HTTP://proxied.example${path}/`,
  `${path}?`,
];

/** Unchanged: fetch would normalise a URL. */
function sendTo(path: string, body: Given[1], headers: Record<string, string>) {
  const { hostname: host, port } = new URL(api.service.url);
  const type = typeof body === 'object' && { 'content-type': 'application/json' };
  return new Promise<{ status: number; id: string; replayed: unknown }>((resolve, reject) => {
    const all = { authorization: `Bearer ${ada.token}`, ...type, ...headers };
    const sent = httpRequest({ host, port, path, method: 'POST', headers: all }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => {
        const { id } = JSON.parse(text) as { id: string };
        resolve({ status: answer.statusCode!, id, replayed: answer.headers['idempotent-replayed'] });
      });
    });
    sent.on('error', reject).end(typeof body === 'object' ? JSON.stringify(body) : body);
  });
}

test('the order of members, and parameters that only shape the response, do not make another request', async () => {
  const { id } = await ada.createTask();
  const headers = under(randomUUID());
  const path = `/tasks/${id}/executions`;
  const first = await ada.send('POST', path, '{"executor":"external","input":{"args":["a"],"stdin":"b"}}', headers);
  const second = await ada.send(
    'POST',
    `${path}?wait=1`,
    '{"input":{"stdin":"b","args":["a"]},"executor":"external"}',
    headers,
  );
  expect([second.status, second.body]).toEqual([201, first.body]);
});

test('a repeated request gets the first response, even after later changes', async () => {
  const headers = under(randomUUID());
  const first = await ada.send('POST', '/tasks', aTask, headers);
  await ada.ok('PUT', `/tasks/${first.body.id}`, { name: 'changed' });
  await ok(ada.api.DELETE('/api/v1/tasks/{id}', withId(first.body.id)));
  expect((await ada.send('POST', '/tasks', aTask, headers)).body).toEqual(first.body);
});

test('a repeated request with ?wait returns the end', async () => {
  const { id } = await ada.createTask();
  const headers = under(randomUUID());
  const start = (query = '') => ada.send('POST', `/tasks/${id}/executions${query}`, { executor: 'external' }, headers);
  const first = await start();
  const waiting = start('?wait=60');
  await ada.report(first.body.id, { status: 'completed', stdout: 'done' });
  expect((await waiting).body).toMatchObject({ id: first.body.id, status: 'completed', stdout: 'done' });
});

test('a key belongs to one user and one route', async () => {
  const headers = under(randomUUID());
  const [one, two] = [await ada.createTask(), await ada.createTask()];
  const made = [
    await ada.send('POST', '/tasks', aTask, headers),
    await bob.send('POST', '/tasks', aTask, headers),
    await ada.send('POST', `/tasks/${one.id}/executions`, undefined, headers),
    await ada.send('POST', `/tasks/${two.id}/executions`, undefined, headers),
  ];
  expect(made.map((answer) => [answer.status, replayed(answer)])).toEqual(made.map(() => [201, false]));
  expect(new Set(made.map(({ body }) => body.id)).size).toBe(made.length);
});

test('a refused request does not use up its key', async () => {
  const { id } = await ada.createTask();
  const { id: running } = await ada.start(id, { executor: 'external' });
  const headers = under(randomUUID());
  const path = `/tasks/${id}/executions`;
  expect((await ada.send('POST', path, { executor: 'external' }, headers)).status).toBe(409);
  await ada.cancel(running);
  const started = await ada.send('POST', path, { executor: 'embedded' }, headers);
  expect([started.status, replayed(started)]).toEqual([201, false]);
});

test.each(['', 'two words', 'ä', 'x'.repeat(256)])('the key %j is a 400, and nothing is created', async (key) => {
  const head = await api.head();
  // fetch sends no character beyond Latin-1, and Node reads a header as Latin-1.
  const { status, body } = await ada.send('POST', '/tasks', aTask, under(key));
  expect([status, body.type]).toEqual([400, 'urn:voidrunner:problem:invalid_idempotency_key']);
  expect(await recordedAfter(head)).toEqual([]);
});

test('a key of the maximum length is accepted', async () => {
  const { status } = await ada.send('POST', '/tasks', aTask, under('~'.repeat(255)));
  expect(status).toBe(201);
});

test('the log contains neither key nor body', async () => {
  const key = `key-${randomUUID()}`;
  const secret = `secret-${randomUUID()}`;
  const { body } = await ada.send('POST', '/executions', { ...aTask, input: { env: { SECRET: secret } } }, under(key));
  const { rows } = await api.service.database.ownerPool.query<{ text: string; digest: string }>(
    `select e::text as text, metadata ->> 'command_digest' as digest from es.events e where stream_id = $1`,
    [body.id],
  );
  expect(rows[0]!.digest).toMatch(/^[0-9a-f]{64}$/);
  for (const { text } of rows) {
    expect(text).not.toContain(key);
    expect(text).not.toContain(secret);
  }
});

test('a key is known to other processes, and after a restart', async () => {
  const headers = under(randomUUID());
  const [first] = api.service.processes;
  const made = await ada.send('POST', '/tasks', aTask, headers);
  await api.service.start({ ...NO_WORKER });
  await api.service.stop(first!);
  const again = await ada.send('POST', '/tasks', aTask, headers);
  expect([again.body, replayed(again)]).toEqual([made.body, true]);
});
