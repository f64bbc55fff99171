import { type ExecutionReport, ok, withId } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Api, NO_WORKER, type Person } from './support/api.js';
import { startAttempt } from './support/attempts.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start({ ...NO_WORKER, QUEUE_RECONCILE_INTERVAL: '200ms' });
  ada = await api.register();
});
afterAll(() => api.close());

/** One that may be refused. */
const report = (id: string, body: ExecutionReport) => ada.api.PUT('/executions/{id}', { ...withId(id), body });

const eventsOf = async (id: string) => (await ok(ada.api.GET('/executions/{id}/events', withId(id)))).events;

test('a run is reported running, then ended', async () => {
  const run = await ada.startExternal();
  const running = await ada.report(run.id, { status: 'running' });
  expect(running).toMatchObject({ status: 'running', attempt: 1, started_at: expect.any(String) });
  // To say so again is no news.
  expect(await ada.report(run.id, { status: 'running', started_at: '2026-01-01T00:00:00Z' })).toEqual(running);

  const ended = await ada.report(run.id, {
    status: 'completed',
    return_code: 0,
    stdout: 'héllo\n',
    stderr: '',
    execution_time_ms: 1_500,
    memory_usage_bytes: 4_096,
    started_at: '2026-01-31T14:00:00+02:00',
    completed_at: '2026-01-31T12:00:01.5Z',
  });
  expect(ended).toMatchObject({
    status: 'completed',
    return_code: 0,
    stdout: 'héllo\n',
    stderr: '',
    stdout_bytes: 7,
    stderr_bytes: 0,
    execution_time_ms: 1_500,
    memory_usage_bytes: 4_096,
    started_at: '2026-01-31T12:00:00.000Z',
    completed_at: '2026-01-31T12:00:01.500Z',
    termination_reason: 'exit_code',
    attempt: 1,
  });
  expect(await ada.execution(run.id)).toEqual(ended);
  expect(await ada.task(run.task_id)).toMatchObject({ status: 'completed' });
  const events = await eventsOf(run.id);
  expect(events.map(({ type }) => type)).toEqual(['ExecutionRequested', 'ExecutionStarted', 'ExecutionReported']);
  expect(events.map(({ actor }) => actor)).toEqual(Array(3).fill(`user:${ada.id}`));
});

test.each([
  ['completed', 'exit_code', 'completed'],
  ['failed', 'exit_code', 'failed'],
  ['timeout', 'timeout', 'timeout'],
  ['cancelled', 'cancelled', 'pending'],
] as const)('a run may be reported %s at once', async (status, termination_reason, ofTask) => {
  const run = await ada.startExternal();
  expect(await ada.report(run.id, { status, return_code: null })).toMatchObject({
    status,
    termination_reason,
    return_code: null,
    stdout: '',
    completed_at: expect.any(String),
  });
  expect(await ada.task(run.task_id)).toMatchObject({ status: ofTask });
});

test('a run that has ended stays as it ended', async () => {
  const run = await ada.startExternal();
  await ada.report(run.id, { status: 'failed', stdout: 'first' });
  const head = await api.head();
  for (const status of ['running', 'completed', 'failed'] as const) {
    const late = await report(run.id, status === 'running' ? { status } : { status, stdout: 'second' });
    expect(late.error).toMatchObject({ status: 409, error: 'Execution has already ended' });
  }
  expect(await api.head()).toBe(head);
  expect(await ada.execution(run.id)).toMatchObject({ status: 'failed', stdout: 'first' });
});

test('of many reports at once one is taken, with the output that it brought', async () => {
  const run = await ada.startExternal();
  const texts = Array.from({ length: 8 }, (_, index) => `report ${index}`);
  const answers = await Promise.all(texts.map((stdout) => report(run.id, { status: 'completed', stdout })));
  const taken = texts.filter((_, index) => answers[index]!.response.ok);
  expect(taken).toHaveLength(1);
  expect(await ada.execution(run.id)).toMatchObject({ stdout: taken[0] });
});

test('a pending run of the embedded executor is taken over and leaves the queue', async () => {
  const run = await ada.start((await ada.createTask()).id);
  const { queue } = api.service.processes[0]!.infra;
  const stateOf = async () => (await queue.inspect([{ executionId: run.id, attempt: 1 }]))[0];
  await eventually(async () => expect(await stateOf()).toBe('waiting'));
  expect(await ada.report(run.id, { status: 'running' })).toMatchObject({ status: 'running', attempt: 1 });
  await eventually(async () => expect(await stateOf()).toBe('missing'));
  await ada.report(run.id, { status: 'completed' });
});

test('a run that an embedded worker has started is its own', async () => {
  const run = await ada.start((await ada.createTask()).id);
  const attempt = await startAttempt(api, run.id);
  for (const status of ['running', 'completed'] as const) {
    const { error } = await report(run.id, { status });
    expect(error).toMatchObject({ status: 409, error: 'Execution is run by an embedded worker' });
  }
  await ada.cancel(run.id);
  await attempt.release();
});

test('a run that is not reported in time has timed out', async () => {
  const run = await ada.startExternal({ timeout_seconds: 1 });
  await ada.report(run.id, { status: 'running' });
  const ended = await ada.client.follow(run.id);
  expect(ended).toMatchObject({ status: 'timeout', termination_reason: 'timeout' });
  expect((await eventsOf(run.id)).at(-1)).toMatchObject({ type: 'ExecutionTimedOut', actor: 'system:reconciler' });
});

test('a cancelled run takes no report', async () => {
  const run = await ada.startExternal();
  await ada.report(run.id, { status: 'running' });
  await ada.cancel(run.id);
  expect((await report(run.id, { status: 'completed' })).response.status).toBe(409);
  expect(await ada.execution(run.id)).toMatchObject({ status: 'cancelled' });
});

test('an admin may report for the owner, and the log says who did', async () => {
  const run = await ada.startExternal();
  const admin = await api.registerAdmin();
  await admin.report(run.id, { status: 'completed', stdout: 'by admin' });
  expect(await ada.execution(run.id)).toMatchObject({ stdout: 'by admin' });
  expect((await eventsOf(run.id)).at(-1)).toMatchObject({ actor: `user:${admin.id}` });
});

test.each([
  ['no status', {}, 'status'],
  ['a status that is no report', { status: 'pending' }, 'status'],
  ['a return code of -1', { status: 'failed', return_code: -1 }, 'return_code'],
  ['a return code of 256', { status: 'failed', return_code: 256 }, 'return_code'],
  ['a time of -1 ms', { status: 'failed', execution_time_ms: -1 }, 'execution_time_ms'],
  ['half a byte', { status: 'failed', memory_usage_bytes: 0.5 }, 'memory_usage_bytes'],
  ['a result before the end', { status: 'running', stdout: 'x' }, 'stdout'],
  ['a time without an offset', { status: 'failed', completed_at: '2026-01-01T00:00:00' }, 'completed_at'],
  ['a day that is none', { status: 'failed', completed_at: '2026-02-30T00:00:00Z' }, 'completed_at'],
  ['a year that Postgres has not', { status: 'failed', started_at: '0000-01-01T00:00:00Z' }, 'started_at'],
  ['a year past 9999', { status: 'failed', completed_at: '9999-12-31T23:59:59-10:00' }, 'completed_at'],
  [
    'an end before the start',
    { status: 'failed', started_at: '2026-01-02T00:00:00Z', completed_at: '2026-01-01T00:00:00Z' },
    'completed_at',
  ],
  ['an unknown field', { status: 'failed', signal: 'SIGKILL' }, 'signal'],
])('a report with %s is a 400', async (_what, body, field) => {
  const run = await ada.startExternal();
  const { status, body: answer } = await ada.send('PUT', `/executions/${run.id}`, body);
  expect([status, answer.validation_errors.map((error: { field: string }) => error.field)]).toEqual([400, [field]]);
});

test.each([0, 255])('a return code of %i is taken', async (return_code) => {
  const run = await ada.startExternal();
  expect(await ada.report(run.id, { status: 'failed', return_code })).toMatchObject({ return_code });
});
