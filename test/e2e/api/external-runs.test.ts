import { type ExecutionReport, ok, withId } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Api, NO_WORKER, type Person } from './support/api.js';
import { startAttempt } from './support/attempts.js';
import { FULL_REPORT } from './support/external-report.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start({ ...NO_WORKER, QUEUE_RECONCILE_INTERVAL: '200ms' });
  ada = await api.register();
});
afterAll(() => api.close());

/** A report that may be refused. */
const report = (id: string, body: ExecutionReport) => ada.api.PUT('/api/v1/executions/{id}', { ...withId(id), body });

const eventsOf = async (id: string) => (await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(id)))).events;

test('an execution is reported as running, then as ended', async () => {
  const run = await ada.startExternal();
  const running = await ada.report(run.id, { status: 'running' });
  expect(running).toMatchObject({ status: 'running', attempt: 1, started_at: expect.any(String) });
  // Repeating it changes nothing.
  expect(await ada.report(run.id, { status: 'running' })).toEqual(running);

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
  expect(events.map(({ type }) => type)).toEqual([
    'ExecutionRequested',
    'ExecutionAttemptStarted',
    'ExecutionReported',
  ]);
  expect(events.map(({ actor }) => actor)).toEqual(Array(3).fill(`user:${ada.id}`));
});

test.each([
  ['completed', 'exit_code', 'completed'],
  ['failed', 'exit_code', 'failed'],
  ['timeout', 'timeout', 'timeout'],
  ['cancelled', 'cancelled', 'pending'],
] as const)('an execution may be reported as %s at once', async (status, termination_reason, ofTask) => {
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

test('an ended execution stays unchanged', async () => {
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

test('the reported start is kept, in the log and in every view', async () => {
  const run = await ada.startExternal({ timeout_seconds: 3_600 });
  const started_at = new Date(Date.now() - 60_000).toISOString();
  const running = await ada.report(run.id, { status: 'running', started_at });
  expect(running).toMatchObject({ status: 'running', started_at });
  expect(await ada.execution(run.id)).toEqual(running);
  expect((await eventsOf(run.id)).at(-1)).toMatchObject({ type: 'ExecutionAttemptStarted', data: { started_at } });
  // The same times: literally, in another zone, or without a zone.
  const elsewhere = started_at.replace('Z', '+00:00');
  for (const again of [{ started_at }, { started_at: elsewhere }, {}]) {
    expect(await ada.report(run.id, { status: 'running', ...again })).toEqual(running);
  }
  const other = await report(run.id, { status: 'running', started_at: new Date().toISOString() });
  expect(other.error).toMatchObject({
    status: 409,
    error: 'Execution has already been reported running, with another started_at',
  });
  expect(await ada.report(run.id, { status: 'completed' })).toMatchObject({ status: 'completed', started_at });
  expect(await eventsOf(run.id)).toHaveLength(3);
});

const IN_AN_HOUR = new Date(Date.now() + 3_600_000).toISOString();
const AN_HOUR_AGO = new Date(Date.now() - 3_600_000).toISOString();

test.each([
  ['that started after now', undefined, { status: 'completed', started_at: '2130-01-01T00:00:00Z' }, 'started_at'],
  [
    'reported as running that started after now',
    {},
    { status: 'completed', started_at: '2130-01-01T00:00:00Z' },
    'started_at',
  ],
  ['that will start in an hour', undefined, { status: 'running', started_at: IN_AN_HOUR }, 'started_at'],
  ['that will end in an hour', undefined, { status: 'failed', completed_at: IN_AN_HOUR }, 'completed_at'],
  ['that ended before its recorded start', {}, { status: 'failed', completed_at: AN_HOUR_AGO }, 'completed_at'],
  [
    'that ended before its reported start',
    { started_at: new Date(Date.now() - 60_000).toISOString() },
    { status: 'failed', completed_at: AN_HOUR_AGO },
    'completed_at',
  ],
])('a report of an execution %s is a 400, and changes nothing', async (_what, running, body, field) => {
  const run = await ada.startExternal();
  if (running) await ada.report(run.id, { status: 'running', ...running });
  const before = await ada.execution(run.id);
  const head = await api.head();
  const { status, body: answer } = await ada.send('PUT', `/executions/${run.id}`, body);
  expect([status, answer.error]).toEqual([400, 'Validation failed']);
  expect(answer.validation_errors).toMatchObject([{ field, message: expect.stringContaining('must ') }]);
  expect([await api.head(), await ada.execution(run.id)]).toEqual([head, before]);
});

test('if the first report is the end, the start is not later than the end', async () => {
  const run = await ada.startExternal();
  const ended = await ada.report(run.id, {
    status: 'completed',
    completed_at: '2026-01-31T12:00:02Z',
    execution_time_ms: 1_500,
  });
  expect(ended).toMatchObject({ started_at: '2026-01-31T12:00:00.500Z', completed_at: '2026-01-31T12:00:02.000Z' });
});

test.each<[string, ExecutionReport]>([
  ['with everything', FULL_REPORT],
  ['with only a status', { status: 'completed' }],
])('a repeated report %s gets the response of the first', async (_what, body) => {
  const run = await ada.startExternal();
  const first = await ada.report(run.id, body);
  const head = await api.head();
  expect([await ada.report(run.id, body), await ada.report(run.id, body)]).toEqual([first, first]);
  const admin = await api.registerAdmin();
  expect(await admin.report(run.id, body)).toEqual(first);
  expect((await eventsOf(run.id)).map(({ type }) => type)).toEqual([
    'ExecutionRequested',
    'ExecutionAttemptStarted',
    'ExecutionReported',
  ]);
  expect(await ada.execution(run.id)).toEqual(first);
  expect(head).toBeLessThanOrEqual(await api.head());
});

test.each(Object.keys(FULL_REPORT).filter((name) => name !== 'status'))(
  'a report without the %s of the first one is a different report',
  async (name) => {
    const run = await ada.startExternal();
    await ada.report(run.id, FULL_REPORT);
    const { [name as 'stdout']: _, ...other } = FULL_REPORT as typeof FULL_REPORT & { stdout: string };
    expect((await report(run.id, other as ExecutionReport)).error).toMatchObject({ status: 409 });
  },
);

test.each<[string, ExecutionReport, string[]]>([
  ['its end', FULL_REPORT, ['ExecutionAttemptStarted', 'ExecutionReported']],
  ['its end, without times', { status: 'completed', stdout: 'x' }, ['ExecutionAttemptStarted', 'ExecutionReported']],
  ['its start', { status: 'running', started_at: '2026-01-31T12:00:00Z' }, ['ExecutionAttemptStarted']],
])('of many identical concurrent reports of %s, one is recorded and all succeed', async (_, body, types) => {
  for (let round = 0; round < 5; round += 1) {
    const run = await ada.startExternal();
    const answers = await Promise.all(Array.from({ length: 8 }, () => ada.report(run.id, body)));
    expect(answers).toEqual(answers.map(() => answers[0]));
    expect((await eventsOf(run.id)).slice(1).map(({ type }) => type)).toEqual(types);
  }
});

test('reported output may contain NUL', async () => {
  const run = await ada.startExternal();
  const body: ExecutionReport = { status: 'completed', stdout: 'a\0b', stderr: '\0' };
  expect(await ada.report(run.id, body)).toMatchObject({ stdout: 'a\0b', stderr: '\0', stdout_bytes: 3 });
  expect(await ada.execution(run.id)).toMatchObject({ stdout: 'a\0b', stderr: '\0' });
});

test('of many different concurrent reports, one succeeds, with its own output', async () => {
  const run = await ada.startExternal();
  const texts = Array.from({ length: 8 }, (_, index) => `report ${index}`);
  const answers = await Promise.all(texts.map((stdout) => report(run.id, { status: 'completed', stdout })));
  const taken = texts.filter((_, index) => answers[index]!.response.ok);
  expect(taken).toHaveLength(1);
  expect(await ada.execution(run.id)).toMatchObject({ stdout: taken[0] });
});

test('a report takes over a pending execution of the embedded executor and removes its job', async () => {
  const run = await ada.start((await ada.createTask()).id);
  const { queue } = api.service.processes[0]!.infra;
  const stateOf = async () => (await queue.inspect([{ executionId: run.id, attempt: 1 }]))[0];
  await eventually(async () => expect(await stateOf()).toBe('waiting'));
  expect(await ada.report(run.id, { status: 'running' })).toMatchObject({ status: 'running', attempt: 1 });
  await eventually(async () => expect(await stateOf()).toBe('missing'));
  await ada.report(run.id, { status: 'completed' });
});

test('an execution that an embedded worker has started accepts no reports', async () => {
  const run = await ada.start((await ada.createTask()).id);
  const attempt = await startAttempt(api, run.id);
  for (const status of ['running', 'completed'] as const) {
    const { error } = await report(run.id, { status });
    expect(error).toMatchObject({ status: 409, error: 'An embedded worker runs this execution' });
  }
  await ada.cancel(run.id);
  await attempt.release();
});

test('an execution whose end is not reported in time has timed out', async () => {
  const run = await ada.startExternal({ timeout_seconds: 1 });
  await ada.report(run.id, { status: 'running' });
  const ended = await ada.client.follow(run.id);
  expect(ended).toMatchObject({ status: 'timeout', termination_reason: 'timeout' });
  expect((await eventsOf(run.id)).at(-1)).toMatchObject({ type: 'ExecutionTimedOut', actor: 'system:reconciler' });
});

test.each([
  ['a limit of half a second', 0.5, {}],
  ['a start of an hour ago', 1, { started_at: AN_HOUR_AGO }],
])('an execution with %s times out without a report of its end', async (_what, timeout_seconds, more) => {
  const run = await ada.startExternal({ timeout_seconds });
  const { started_at } = await ada.report(run.id, { status: 'running', ...more });
  expect(await ada.client.follow(run.id)).toMatchObject({
    ...{ status: 'timeout', termination_reason: 'timeout', started_at },
  });
  expect((await report(run.id, { status: 'completed' })).error).toMatchObject({ status: 409 });
});

test('a cancelled execution accepts no reports', async () => {
  const run = await ada.startExternal();
  await ada.report(run.id, { status: 'running' });
  await ada.cancel(run.id);
  expect((await report(run.id, { status: 'completed' })).response.status).toBe(409);
  expect(await ada.execution(run.id)).toMatchObject({ status: 'cancelled' });
});

test('an admin may report for the owner, and the log names the admin', async () => {
  const run = await ada.startExternal();
  const admin = await api.registerAdmin();
  await admin.report(run.id, { status: 'completed', stdout: 'by admin' });
  expect(await ada.execution(run.id)).toMatchObject({ stdout: 'by admin' });
  expect((await eventsOf(run.id)).at(-1)).toMatchObject({ actor: `user:${admin.id}` });
});

test.each([
  ['no status', {}, 'status'],
  ['a status that cannot be reported', { status: 'pending' }, 'status'],
  ['a return code of -1', { status: 'failed', return_code: -1 }, 'return_code'],
  ['a return code of 256', { status: 'failed', return_code: 256 }, 'return_code'],
  ['a time of -1 ms', { status: 'failed', execution_time_ms: -1 }, 'execution_time_ms'],
  ['a fraction of a byte', { status: 'failed', memory_usage_bytes: 0.5 }, 'memory_usage_bytes'],
  ['a result before the end', { status: 'running', stdout: 'x' }, 'stdout'],
  ['a time without an offset', { status: 'failed', completed_at: '2026-01-01T00:00:00' }, 'completed_at'],
  ['an invalid day', { status: 'failed', completed_at: '2026-02-30T00:00:00Z' }, 'completed_at'],
  ['a year that Postgres lacks', { status: 'failed', started_at: '0000-01-01T00:00:00Z' }, 'started_at'],
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

test.each([0, 255])('a return code of %i is accepted', async (return_code) => {
  const run = await ada.startExternal();
  expect(await ada.report(run.id, { status: 'failed', return_code })).toMatchObject({ return_code });
});
