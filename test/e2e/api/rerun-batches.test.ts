import { ok, withId } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Api, type Person } from './support/api.js';
import { startAttempt } from './support/attempts.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start();
});
beforeEach(async () => {
  ada = await api.register();
});
afterAll(() => api.close());

const rerun = (filter: object, more: object = {}, who = ada) =>
  who.send('POST', '/executions/rerun', { filter, ...more });
const batchOf = (id: string) => ada.ok('GET', `/batches/${id}`);
const sourcesOf = ({ executions }: any): string[] => executions.map(({ rerun_of }: any) => rerun_of);

async function settled(id: string, wished: (batch: any) => boolean = ({ status }) => status === 'started') {
  return eventually(
    async () => {
      const batch = await batchOf(id);
      if (!wished(batch)) throw new Error(`batch is ${JSON.stringify(batch)}`);
      return batch;
    },
    { timeoutMs: 120_000 },
  );
}

/** An execution that has ended as its owner reported. */
async function ended(status: 'completed' | 'failed' = 'completed', fields: object = {}) {
  const { id } = await ada.startExternal(fields);
  return ada.report(id, { status, return_code: status === 'failed' ? 3 : 0 });
}

test('executions are repeated one after another, oldest first, as their task allows', async () => {
  const { id: taskId } = await ada.createTask();
  const ids: string[] = [];
  for (const arg of ['a', 'b', 'c']) {
    const { id } = await ada.start(taskId, { input: { args: [arg] } });
    await (await startAttempt(api, id)).succeed([]);
    ids.push(id);
  }
  await api.listsCaughtUp();
  const { status, body, headers } = await rerun({ task_id: taskId }, { overrides: { priority: 9 } });
  expect(status).toBe(202);
  expect(headers.get('location')).toBe(`/api/v1/batches/${body.id}`);
  expect(sourcesOf(body)).toEqual(ids);
  for (const [index, { id }] of body.executions.entries()) {
    const batch = await settled(body.id, ({ executions }) => executions[index].status === 'pending');
    const counts = { completed: index, pending: 1, waiting: 2 - index, refused: 0 };
    expect(batch).toMatchObject({ kind: 'rerun', counts });
    expect((await ada.execution(id)).rerun_of).toBe(ids[index]);
    await (await startAttempt(api, id)).succeed([]);
  }
  const batch = await settled(body.id);
  expect([sourcesOf(batch), batch.counts.completed]).toEqual([ids, 3]);
  const { events } = await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(body.executions[0].id)));
  expect(events[0]).toMatchObject({ actor: `user:${ada.id}`, data: { priority: 9, rerun_of: ids[0] } });
});

test('the filter takes the caller’s ended executions only', async () => {
  const failed = await ended('failed', { priority: 1 });
  const completed = await ended();
  await ada.startExternal();
  const bob = await api.register();
  const all = [failed.id, completed.id];
  for (const [filter, expected] of [
    [{}, all],
    [{ status: 'failed' }, [failed.id]],
    [{ task_id: completed.task_id }, [completed.id]],
    [{ termination_reason: 'exit_code' }, all],
    [{ since: failed.created_at, until: completed.created_at }, [failed.id]],
    [{ since: completed.created_at }, [completed.id]],
    [{ status: 'failed', task_id: completed.task_id }, []],
    [{ termination_reason: 'signal' }, []],
  ] as const) {
    const { status, body } = await rerun(filter, { limit: 10 });
    expect([filter, status, status === 202 ? sourcesOf(body) : []]).toEqual([
      filter,
      expected.length > 0 ? 202 : 422,
      expected,
    ]);
    if (status === 202) await ada.send('DELETE', `/batches/${body.id}`);
  }
  expect(sourcesOf((await rerun({}, { limit: 1 })).body)).toEqual([failed.id]);
  const none = await rerun({}, {}, bob);
  expect([none.status, none.body.type]).toEqual([422, 'urn:voidrunner:problem:nothing_to_rerun']);
});

test('invalid requests name their fields', async () => {
  for (const [body, field] of [
    [{}, 'filter'],
    [{ filter: { status: 'running' } }, 'filter.status'],
    [{ filter: { since: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z' } }, 'filter.until'],
    [{ filter: {}, limit: 1_001 }, 'limit'],
    [{ filter: {}, overrides: { limits: { memory_mb: 100_000 } } }, 'overrides.limits.memory_mb'],
  ] as const) {
    const refused = await ada.send('POST', '/executions/rerun', body);
    expect([body, refused.status, refused.body.validation_errors[0].field]).toEqual([body, 400, field]);
  }
});

test('what can no longer be started is refused in the batch, and the rest is started', async () => {
  const [gone, fine] = [await ended(), await ended()];
  await ok(ada.api.DELETE('/api/v1/tasks/{id}', withId(gone.task_id)));
  const { body } = await rerun({});
  const batch = await settled(body.id);
  expect(batch.executions.map(({ status, code }: any) => [status, code])).toEqual([
    ['refused', 'task_not_found'],
    ['pending', null],
  ]);
  expect(batch.counts).toMatchObject({ refused: 1, pending: 1, waiting: 0 });
  expect((await ada.ok('GET', '/batches')).batches[0]).toMatchObject({ id: body.id, size: 2, refused: 1 });
  await ada.report(body.executions[1].id, { status: 'completed', return_code: 0 });
  expect((await ada.execution(body.executions[1].id)).rerun_of).toBe(fine.id);
  expect((await ada.send('DELETE', `/batches/${body.id}`)).status).toBe(409);
});

test('a cancelled batch starts nothing more', async () => {
  const { id: taskId } = await ada.createTask();
  for (let no = 0; no < 3; no += 1) {
    const { id } = await ada.start(taskId, { executor: 'external' });
    await ada.report(id, { status: 'completed', return_code: 0 });
  }
  const { body } = await rerun({ task_id: taskId });
  await settled(body.id, ({ counts }) => counts.pending === 1 && counts.waiting === 2);
  await ada.ok('DELETE', `/batches/${body.id}`);
  expect((await batchOf(body.id)).counts).toMatchObject({ cancelled: 3, waiting: 0, pending: 0 });
  expect((await ada.send('GET', `/executions/${body.executions[2].id}`)).status).toBe(404);
  expect((await ada.send('DELETE', `/batches/${body.id}`)).status).toBe(409);
  expect((await ada.task(taskId)).status).toBe('pending');
});

test('a user has at most ten batches that wait', async () => {
  // Its task stays busy.
  const { id: taskId } = await ada.createTask();
  const source = await ada.start(taskId, { executor: 'external' });
  await ada.report(source.id, { status: 'completed', return_code: 0 });
  const busy = await ada.start(taskId, { executor: 'external' });
  const batches = [];
  for (let no = 0; no < 10; no += 1) batches.push((await rerun({ task_id: taskId, status: 'completed' })).body.id);
  const refused = await rerun({});
  expect([refused.status, refused.body.type]).toEqual([429, 'urn:voidrunner:problem:batches_waiting']);
  for (const id of batches) await ada.ok('DELETE', `/batches/${id}`);
  await ada.cancel(busy.id);
});
