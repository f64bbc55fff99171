import { PayloadDestruction } from '../../../src/platform/payloads/payload-destruction.js';
import { ok, withId } from '../../support/api-client.js';
import { Api, type Person } from './support/api.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start({ WORKER_POOL_SIZE: '2' });
  ada = await api.register();
});
afterAll(() => api.close());

const rerun = (id: string, body?: object, who = ada) => who.send('POST', `/executions/${id}/rerun?wait=60`, body);
const ECHO = 'echo "$@"; cat - data; printf kept >kept';
const INPUT = { args: ['a'], stdin: 'in ', files: [{ path: 'data', content: 'file' }], outputs: ['kept'] };

async function firstRun(settings: object = {}) {
  const { id } = await ada.createTask({ script_type: 'bash', script_content: ECHO });
  return ada.client.follow((await ada.start(id, { input: INPUT, ...settings })).id);
}

test('an execution is repeated as it was recorded, whatever its task is now', async () => {
  const source = await firstRun({ priority: 9, timeout_seconds: 17 });
  await ok(ada.api.PUT('/api/v1/tasks/{id}', { ...withId(source.task_id), body: { script_content: 'echo changed' } }));
  const { status, body, headers } = await rerun(source.id);
  expect(status).toBe(201);
  expect(headers.get('location')).toBe(`/api/v1/executions/${body.id}`);
  expect(body).toMatchObject({
    ...{ task_id: source.task_id, rerun_of: source.id, status: 'completed', stdout: 'a\nin file' },
    files: [{ path: 'kept', sha256: source.files[0]!.sha256 }],
  });
  expect(source.rerun_of).toBeNull();
  const requested = async (id: string) =>
    (await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(id)))).events[0]!.data;
  const [first, second] = [await requested(source.id), await requested(body.id)] as Record<string, any>[];
  const { execution_id: _, input, rerun_of, ...rest } = second!;
  expect(rest).toEqual(Object.fromEntries(Object.keys(rest).map((name) => [name, first![name]])));
  expect(rest).toMatchObject({ priority: 9, timeout_seconds: 17, task_definition_version: 1 });
  expect([rerun_of, input.payload_id === first!['input'].payload_id]).toEqual([source.id, false]);
});

test('an execution is repeated with the current definition, and with overrides', async () => {
  const source = await firstRun();
  await ok(ada.api.PUT('/api/v1/tasks/{id}', { ...withId(source.task_id), body: { script_content: 'echo "now $1"' } }));
  const { body } = await rerun(source.id, { definition: 'current', overrides: { limits: { memory_mb: 64 } } });
  expect(body).toMatchObject({ rerun_of: source.id, stdout: 'now a\n' });
  const { events } = await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(body.id)));
  expect(events[0]!.data).toMatchObject({ task_definition_version: 2, limits: { memory_mb: 64, pids: 64 } });
});

test('a repeat can be repeated after the first input was destroyed', async () => {
  const source = await firstRun();
  const again = (await rerun(source.id)).body;
  const { events } = await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(source.id)));
  const { payload_id } = (events[0]!.data as { input: { payload_id: string } }).input;
  await new PayloadDestruction(api.service.processes[0]!.infra.pool).destroy([payload_id]);
  const head = await api.head();
  expect(await rerun(source.id)).toMatchObject({
    status: 409,
    body: { type: 'urn:voidrunner:problem:input_erased', error: 'The input of this execution has been erased' },
  });
  expect(await api.head()).toBe(head);
  expect((await rerun(again.id)).body).toMatchObject({ rerun_of: again.id, stdout: 'a\nin file' });
});

test('an execution without an input, one that did not end, and an external one are repeated', async () => {
  const { id } = await ada.createTask({ script_type: 'bash', script_content: 'sleep 60', max_parallel: 3 });
  const source = await ada.start(id);
  const again = (await ada.send('POST', `/executions/${source.id}/rerun`)).body;
  expect(again).toMatchObject({ rerun_of: source.id });
  const external = await ada.startExternal();
  await ada.report(external.id, { status: 'completed', return_code: 0 });
  const { body } = await ada.send('POST', `/executions/${external.id}/rerun`);
  expect(await ada.report(body.id, { status: 'running' })).toMatchObject({ rerun_of: external.id, status: 'running' });
  // They would take the worker's slots for a minute.
  for (const run of [source, again]) await ok(ada.api.DELETE('/api/v1/executions/{id}', withId(run.id)));
});

test('a refused repeat stores nothing', async () => {
  const source = await firstRun();
  const { id } = await ada.start(source.task_id, { executor: 'external' });
  const { pool } = api.service.processes[0]!.infra;
  const stored = async () =>
    (await pool.query<{ count: string }>('select count(*) from es.payloads where owner_id = $1', [ada.id])).rows[0]!
      .count;
  const before = await stored();
  expect(await rerun(source.id)).toMatchObject({ status: 409, body: { error: 'Task is already running' } });
  expect(await stored()).toBe(before);
  await ok(ada.api.DELETE('/api/v1/executions/{id}', withId(id)));
});

test('what cannot be repeated is a clear refusal', async () => {
  const source = await firstRun();
  const bob = await api.register();
  expect(await rerun(source.id, {}, bob)).toMatchObject({ status: 403 });
  expect(await rerun('01a22d58-0000-7000-8000-000000000000')).toMatchObject({
    status: 404,
    body: { error: 'Execution not found' },
  });
  for (const [body, field] of [
    [{ overrides: { limits: { memory_mb: 100_000 } } }, 'overrides.limits.memory_mb'],
    [{ overrides: { limits: { pids: 1 } } }, 'overrides.limits.pids'],
    [{ overrides: { script_content: 'x' } }, 'overrides.script_content'],
    [{ definition: 'old' }, 'definition'],
    [{ input: {} }, 'input'],
  ] as const) {
    const refused = await rerun(source.id, body);
    expect([body, refused.status, refused.body.validation_errors[0].field]).toEqual([body, 400, field]);
  }
  // A file of the input is where the script of the current definition would be.
  const { id } = await ada.createTask({ script_type: 'bash', script_content: 'true' });
  const input = { files: [{ path: 'main.py', content: 'x' }] };
  const withFile = await ada.client.follow((await ada.start(id, { input })).id);
  await ok(
    ada.api.PUT('/api/v1/tasks/{id}', { ...withId(id), body: { script_type: 'python', script_content: 'pass' } }),
  );
  expect(await rerun(withFile.id, { definition: 'current' })).toMatchObject({
    status: 400,
    body: { validation_errors: [{ field: 'input.files.0.path' }] },
  });
  await ok(ada.api.DELETE('/api/v1/tasks/{id}', withId(source.task_id)));
  expect(await rerun(source.id)).toMatchObject({ status: 404, body: { error: 'Task not found' } });
});
