import { VoidRunner } from '@voidrunner/client';

import { POSTS_WITH_KEY } from '../../../packages/client/src/transport/repeatable.js';
import { makeApiDocument } from '../../support/api-document.js';
import { json, ScriptedServer } from '../../support/scripted-server.js';

let server: ScriptedServer;
let vr: VoidRunner;
beforeAll(async () => {
  server = await ScriptedServer.start();
  vr = new VoidRunner({ baseUrl: server.url, apiKey: 'vr_key' });
});
beforeEach(() => server.forget());
afterAll(() => server.close());

test('the POSTs that get a key are those whose document has one', async () => {
  const document = (await makeApiDocument()) as unknown as {
    paths: Record<string, Record<string, { parameters?: { name: string }[] } | undefined>>;
  };
  const withKey = Object.entries(document.paths).filter(([, operations]) =>
    operations['post']?.parameters?.some(({ name }) => name === 'Idempotency-Key'),
  );
  expect([...POSTS_WITH_KEY].sort()).toEqual(withKey.map(([path]) => path).sort());
});

const page = (name: string, ids: string[], next_cursor: string | null) =>
  json(200, {
    [name]: ids.map((id) => ({ id })),
    pagination: { has_more: next_cursor !== null, next_cursor, prev_cursor: null },
    ...{ limit: 2, sort_field: 'created_at', sort_order: 'desc' },
  });

test.each<[string, string, () => AsyncGenerator<{ id: string }>]>([
  ['tasks', '/tasks', () => vr.tasks.list({ limit: 2, status: 'failed' })],
  ['executions', '/executions', () => vr.executions.list({ limit: 2, status: 'failed' })],
  ['executions', '/tasks/t/executions', () => vr.tasks.executions('t', { limit: 2, status: 'failed' })],
])('a list of %s at %s has the items of all pages', async (name, path, list) => {
  server.on(`GET /api/v1${path}`, page(name, ['a', 'b'], 'next/+'), page(name, [], 'last'), page(name, ['c'], null));
  const ids: string[] = [];
  for await (const { id } of list()) ids.push(id);
  expect(ids).toEqual(['a', 'b', 'c']);
  const queries = server.received.map(({ url }) => Object.fromEntries(new URLSearchParams(url.split('?')[1])));
  expect(queries).toEqual(['', 'next/+', 'last'].map((cursor) => ({ limit: '2', status: 'failed', cursor })));
});

test.each<[string, string, () => AsyncGenerator<{ id: string }>]>([
  ['batches', '/batches', () => vr.batches.list()],
  ['dead_letters', '/dead-letters', () => vr.deadLetters.list()],
])('a list of %s', async (name, path, list) => {
  server.on(`GET /api/v1${path}`, page(name, ['a'], 'next'), page(name, ['b'], null));
  const ids: string[] = [];
  for await (const { id } of list()) ids.push(id);
  expect(ids).toEqual(['a', 'b']);
});

test('a page by offset is returned as it is, and a list asks only for what is taken', async () => {
  const byOffset = { tasks: [{ id: 'a' }], total: 1, limit: 20, offset: 0 };
  server.on('GET /api/v1/tasks', json(200, byOffset), page('tasks', ['a', 'b'], 'next'));
  expect(await vr.tasks.page({ offset: 0 })).toEqual(byOffset);
  for await (const _ of vr.tasks.list()) break;
  expect(server.received.map(({ url }) => url)).toEqual(['/api/v1/tasks?offset=0', '/api/v1/tasks?cursor=']);
});

test.each(['tasks', 'executions'] as const)('a history of %s has the events of all pages', async (kind) => {
  const events = (versions: number[], has_more: boolean) =>
    json(200, { events: versions.map((version) => ({ version })), has_more });
  server.on(`GET /api/v1/${kind}/x/events`, events([3, 4], true), events([5], false));
  const versions: number[] = [];
  for await (const { version } of vr[kind].events('x', { afterVersion: 2 })) versions.push(version);
  expect(versions).toEqual([3, 4, 5]);
  expect(server.received.map(({ url }) => url.split('?')[1])).toEqual([
    'after_version=2&limit=1000',
    'after_version=4&limit=1000',
  ]);
});

test('a batch is waited for until nothing of it waits or runs', async () => {
  const counts = { waiting: 0, refused: 1, pending: 0, running: 0, completed: 1, failed: 0, timeout: 0, cancelled: 0 };
  const batch = (more: object) => json(200, { id: 'b', counts: { ...counts, ...more } });
  server.on('GET /api/v1/batches/b', batch({ waiting: 1 }), batch({ running: 1 }), batch({}));
  expect((await vr.batches.wait('b')).counts).toEqual(counts);
  expect(server.received).toHaveLength(3);
});

const A_TASK = { name: 'a', script_type: 'bash', script_content: 'true' } as const;
const ID = 'a/b';

test.each<[string, string, unknown, () => Promise<unknown>]>([
  ['POST', '/tasks', A_TASK, () => vr.tasks.create(A_TASK)],
  ['GET', '/tasks/a%2Fb?as_of=3', '', () => vr.tasks.get(ID, { asOf: '3' })],
  ['PUT', '/tasks/a%2Fb', { name: 'b' }, () => vr.tasks.update(ID, { name: 'b' }, { ifMatch: '"1"' })],
  ['DELETE', '/tasks/a%2Fb', '', () => vr.tasks.delete(ID)],
  ['POST', '/tasks/a%2Fb/executions', { executor: 'external' }, () => vr.tasks.start(ID, { external: true })],
  ['POST', '/tasks/a%2Fb/executions', { input: { stdin: 'x' } }, () => vr.tasks.run(ID, { stdin: 'x' })],
  ['GET', '/executions/a%2Fb?as_of=3', '', () => vr.executions.get(ID, { asOf: '3' })],
  ['DELETE', '/executions/a%2Fb', '', () => vr.executions.cancel(ID)],
  [
    'POST',
    '/executions/a%2Fb/rerun',
    { definition: 'current' },
    () => vr.executions.rerun(ID, { definition: 'current' }),
  ],
  ['PUT', '/executions/a%2Fb', { status: 'running' }, () => vr.executions.report(ID, { status: 'running' })],
  ['POST', '/batches', { items: [A_TASK] }, () => vr.batches.create([A_TASK])],
  ['POST', '/executions/rerun', { filter: {} }, () => vr.batches.rerun({ filter: {} })],
  ['DELETE', '/batches/a%2Fb', '', () => vr.batches.cancel(ID)],
  ['GET', '/dead-letters/a%2Fb', '', () => vr.deadLetters.get(ID)],
  ['POST', '/dead-letters/a%2Fb/redrive', '', () => vr.deadLetters.redrive(ID)],
  ['DELETE', '/dead-letters/a%2Fb', '', () => vr.deadLetters.discard(ID)],
  ['GET', '/keys/a%2Fb', '', () => vr.keys.get(ID)],
  ['DELETE', '/keys/a%2Fb', '', () => vr.keys.revoke(ID)],
])('%s %s', async (method, path, body, call) => {
  const answer = { id: 'x', status: 'completed', message: 'done' };
  server.on(`${method} /api/v1${path.split('?')[0]}`, json(200, answer));
  expect(await call()).toEqual(answer);
  const [request] = server.received;
  expect(request!.url).toBe(`/api/v1${path}`);
  expect(request!.body === '' ? '' : JSON.parse(request!.body)).toEqual(body);
});

test('the log has a newest checkpoint, keys and proofs', async () => {
  const checkpoint = { size: 7, root: 'r', sealed_at: 't', checkpoint: 'log\n7\nr\n' };
  const proof = { from: 3, to: 7, proof: ['a'] };
  server.on('GET /api/v1/log/checkpoints/latest', json(200, checkpoint));
  server.on('GET /api/v1/log/key', json(200, { keys: ['log+1+k'] }));
  server.on('GET /api/v1/log/consistency', json(200, proof));
  expect([await vr.log.latestCheckpoint(), await vr.log.keys(), await vr.log.consistency(3, 7)]).toEqual([
    checkpoint,
    ['log+1+k'],
    proof,
  ]);
  expect(server.received.at(-1)?.url).toBe('/api/v1/log/consistency?from=3&to=7');
});

test('lists of keys, runtimes and files are lists', async () => {
  server.on('GET /api/v1/keys', json(200, { keys: [{ id: 'k' }] }));
  server.on('GET /api/v1/runtimes', json(200, { runtimes: [{ name: 'go' }] }));
  server.on('GET /api/v1/executions/e', json(200, { files: [{ path: 'a' }] }));
  expect([await vr.keys.list(), await vr.runtimes.list(), await vr.files.list('e')]).toEqual([
    [{ id: 'k' }],
    [{ name: 'go' }],
    [{ path: 'a' }],
  ]);
});
