import { ok, withId } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Api, NO_WORKER, type Person } from './support/api.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start({ ...NO_WORKER, QUEUE_RECONCILE_INTERVAL: '200ms', EXTERNAL_REPORT_TIMEOUT: '2s' });
  ada = await api.register();
});
afterAll(() => api.close());

test('an external execution without a report expires, and its task is free again', async () => {
  const run = await ada.startExternal();
  const ended = await ada.client.follow(run.id);
  expect(ended).toMatchObject({
    ...{ status: 'timeout', termination_reason: 'expired', started_at: null, attempt: 0, dead_lettered: false },
    completed_at: expect.any(String),
  });
  const { events } = await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(run.id)));
  expect(events.map(({ type }) => type)).toEqual(['ExecutionRequested', 'ExecutionExpired']);
  expect(events.at(-1)).toMatchObject({ actor: 'system:reconciler' });
  await eventually(async () => expect(await ada.task(run.task_id)).toMatchObject({ status: 'timeout' }));

  for (const status of ['running', 'completed'] as const) {
    const late = await ada.api.PUT('/api/v1/executions/{id}', { ...withId(run.id), body: { status } });
    expect(late.error).toMatchObject({ status: 409, error: 'Execution has already ended' });
  }
  await ok(ada.api.DELETE('/api/v1/tasks/{id}', withId(run.task_id)));
});

test('an execution reported as running in time does not expire, nor does one that waits for a worker', async () => {
  const embedded = await ada.start((await ada.createTask()).id);
  const reported = await ada.startExternal();
  await ada.report(reported.id, { status: 'running' });
  const unreported = await ada.startExternal();
  await ada.client.follow(unreported.id);
  expect(await ada.execution(embedded.id)).toMatchObject({ status: 'pending' });
  expect(await ada.report(reported.id, { status: 'completed' })).toMatchObject({ status: 'completed' });
  await ada.cancel(embedded.id);
});
