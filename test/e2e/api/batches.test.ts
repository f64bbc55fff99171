import { randomUUID } from 'node:crypto';

import { eventually } from '../../support/eventually.js';
import { Api, aTask, type Person } from './support/api.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start();
  ada = await api.register();
});
afterAll(() => api.close());

const NOBODY = '01a22d58-0000-7000-8000-000000000000';
const tasks = (count: number, fields: object = {}) =>
  Array.from({ length: count }, (_, index) => ({ ...aTask, name: `task ${index}`, ...fields }));
const create = (items: object[], headers: Record<string, string> = {}, who = ada) =>
  who.send('POST', '/batches', { items }, headers);
const batchOf = (id: string, who = ada) => who.ok('GET', `/batches/${id}`);
const faultsOf = (body: any): string[] => body.validation_errors.map((each: any) => `${each.field}: ${each.tag}`);
const statuses = ({ executions }: any): string[] => executions.map(({ status }: any) => status);
const NONE = {
  ...{ waiting: 0, refused: 0, pending: 0, running: 0, completed: 0, failed: 0, timeout: 0, cancelled: 0 },
};

test('200 tasks are created and started in one append, in the order of the items', async () => {
  const before = await api.head();
  const items = tasks(200, { input: { args: ['x'] } });
  const { status, body, headers } = await create(items);
  expect(status).toBe(202);
  expect(headers.get('location')).toBe(`/api/v1/batches/${body.id}`);
  expect(await api.head()).toBe(before + 601n);
  const batch = await batchOf(body.id);
  expect(batch).toMatchObject({ id: body.id, kind: 'new', status: 'started', counts: { ...NONE, pending: 200 } });
  expect(batch.executions.map(({ index, id }: any) => ({ index, id }))).toEqual(body.executions);
  expect(body.executions.map(({ index }: any) => index)).toEqual(items.map((_, index) => index));
  const last = await ada.execution(body.executions[199].id);
  expect(last).toMatchObject({ status: 'pending', rerun_of: null });
  expect(await ada.task(last.task_id)).toMatchObject({ name: 'task 199', status: 'running' });
  const { rows } = await api.service.database.ownerPool.query<{ bytes: number; times: number }>(
    `select max(pg_column_size(data)) as bytes, count(distinct recorded_at)::int as times from es.events
     where position > $1`,
    [before],
  );
  expect(rows[0]!.times).toBe(1);
  await ada.ok('DELETE', `/batches/${body.id}`);
});

test('a fault of any item refuses all of them, and every fault is named', async () => {
  const head = await api.head();
  const [first, second, third, fourth] = tasks(4);
  const schema = await create([{ ...first, priority: 11 }, second!, { ...third, executor: 'external' }, {}]);
  expect([schema.status, faultsOf(schema.body)]).toEqual([
    400,
    expect.arrayContaining([
      'items.0.priority: max',
      'items.2.executor: unknown',
      'items.3.name: required',
      'items.3.script_type: required',
    ]),
  ]);
  const rules = await create([
    first!,
    { ...second, script_type: 'cobol' },
    { ...third, limits: { memory_mb: 100_000 } },
    { ...fourth, limits: { pids: 100_000 }, input: { files: [{ path: 'main.py', content: 'x' }] } },
  ]);
  expect([rules.status, faultsOf(rules.body)]).toEqual([
    400,
    [
      'items.1.script_type: oneof',
      'items.2.limits.memory_mb: max',
      'items.3.input.files.0.path: invalid',
      'items.3.limits.pids: max',
    ],
  ]);
  const webhook = { url: 'https://example.com', events: [] };
  for (const body of [{}, { items: [] }, { items: tasks(201) }, { items: tasks(1), webhook }]) {
    expect((await ada.send('POST', '/batches', body)).status).toBe(400);
  }
  expect(await api.head()).toBe(head);
});

test('no value of a script or an input is in a refusal', async () => {
  const secret = `secret-${randomUUID()}`;
  const { body } = await create([{ ...aTask, script_content: secret, input: { env: { 'A B': secret }, stdin: 1 } }]);
  expect(JSON.stringify(body)).not.toContain(secret);
});

test('a batch counts its executions by status', async () => {
  const { body } = await create(tasks(3));
  await ada.cancel(body.executions[1].id);
  const batch = await batchOf(body.id);
  expect(statuses(batch)).toEqual(['pending', 'cancelled', 'pending']);
  expect(batch.counts).toEqual({ ...NONE, pending: 2, cancelled: 1 });
  await ada.ok('DELETE', `/batches/${body.id}`);
});

test('a batch is cancelled with one request, which may be repeated until all of it has ended', async () => {
  const { body } = await create(tasks(12));
  const running = body.executions[0].id;
  await ada.report(running, { status: 'running' });
  await ada.cancel(body.executions[1].id);
  expect(await ada.ok('DELETE', `/batches/${body.id}`)).toEqual({ message: 'Batch cancelled successfully' });
  const batch = await batchOf(body.id);
  expect(batch.counts).toEqual({ ...NONE, cancelled: 12 });
  expect(['cancelling', 'cancelled']).toContain(batch.status);
  const again = await ada.send('DELETE', `/batches/${body.id}`);
  expect([again.status, again.body.error]).toEqual([409, 'Batch has already ended']);
});

test('a batch that has ended cannot be cancelled', async () => {
  const { body } = await create(tasks(1));
  await ada.report(body.executions[0].id, { status: 'completed', return_code: 0 });
  const head = await api.head();
  expect((await ada.send('DELETE', `/batches/${body.id}`)).status).toBe(409);
  expect(await api.head()).toBe(head);
  expect((await batchOf(body.id)).counts).toEqual({ ...NONE, completed: 1 });
});

test('a batch belongs to its owner, and an admin sees it', async () => {
  const [bob, admin] = [await api.register(), await api.registerAdmin()];
  const { body } = await create(tasks(1));
  for (const method of ['GET', 'DELETE']) {
    expect((await bob.send(method, `/batches/${body.id}`)).status).toBe(403);
    expect((await bob.send(method, `/batches/${NOBODY}`)).body.error).toBe('Batch not found');
    expect((await bob.send(method, '/batches/nonsense')).body.error).toBe('Invalid batch ID format');
  }
  expect((await batchOf(body.id, admin)).id).toBe(body.id);
  await admin.ok('DELETE', `/batches/${body.id}`);
});

test('batches are listed, newest first', async () => {
  const eve = await api.register();
  const ids: string[] = [];
  for (const count of [1, 2, 3]) ids.unshift((await create(tasks(count), {}, eve)).body.id);
  const page = await eve.ok('GET', '/batches?limit=2&cursor=');
  expect(page.batches.map(({ id, size, kind }: any) => [id, size, kind])).toEqual([
    [ids[0], 3, 'new'],
    [ids[1], 2, 'new'],
  ]);
  const rest = await eve.ok('GET', `/batches?limit=2&cursor=${page.pagination.next_cursor}`);
  expect(rest.batches.map(({ id }: any) => id)).toEqual([ids[2]]);
  expect(await eve.ok('GET', '/batches?limit=1&sort_order=asc')).toMatchObject({ total: 3, batches: [{ id: ids[2] }] });
  expect((await eve.send('GET', '/batches?status=started')).status).toBe(400);
});

test('a batch is as the log has it while no projector runs', async () => {
  await api.service.stop(api.service.processes[0]!);
  await api.service.start({ VOIDRUNNER_ROLES: 'api' });
  const { body, headers } = await create(tasks(5), { prefer: 'respond-async' });
  expect(headers.get('x-read-position')).toBeNull();
  await ada.send('DELETE', `/executions/${body.executions[2].id}`, undefined, { prefer: 'respond-async' });
  expect(statuses(await batchOf(body.id))).toEqual(['pending', 'pending', 'cancelled', 'pending', 'pending']);
  await api.service.stop(api.service.processes[0]!);
  await api.service.start();
  await eventually(async () => expect((await ada.ok('GET', '/batches?limit=1')).batches[0].id).toBe(body.id));
  await ada.ok('DELETE', `/batches/${body.id}`);
});
