import { PayloadDestruction } from '../../../src/platform/payloads/payload-destruction.js';
import { ok, withId } from '../../support/api-client.js';
import { EventReader } from '../../support/event-reader.js';
import { Api, type Person } from './support/api.js';

let api: Api;
let ada: Person;
let eve: Person;

beforeAll(async () => {
  api = await Api.start({ WORKER_POOL_SIZE: '2' });
  [ada, eve] = [await api.register(), await api.register()];
});
afterAll(() => api.close());

const SUM = { name: 'Sum', script_type: 'bash', script_content: 'read a b; echo $((a + b))' } as const;
const TESTS = [
  { name: 'small', stdin: '1 2', expected_stdout: '3\n' },
  { name: 'wrong', stdin: '2 2', expected_stdout: '5', points: 2 },
  { stdin: '0 0', expected_stdout: '0', hidden: true },
];

const eventsOf = (id: string, headers: Record<string, string> = {}) =>
  EventReader.of(`${api.service.url}/api/v1/executions/${id}/events`, {
    authorization: `Bearer ${ada.token}`,
    ...headers,
  });
async function storedBy({ id }: Person): Promise<number> {
  const { rows } = await api.service.database.appPool.query('select 1 from es.payloads where owner_id = $1', [id]);
  return rows.length;
}
const payloadIn = (data: unknown, ...path: readonly string[]): string =>
  path.reduce<any>((value, key) => value[key], data).payload_id;

test('a task has tests: each execution runs them, and is completed whatever their verdicts', async () => {
  const task = await ada.createTask({ ...SUM, tests: TESTS });
  const defaults = { expected_return_code: 0, points: 1, hidden: false };
  expect(task).toMatchObject({
    test_count: 3,
    tests: TESTS.map((test) => ({ ...defaults, ...test })),
    judge: { compare: 'trimmed', stop_on: 'never' },
  });
  expect(await ada.task(task.id)).toEqual(task);
  const started = await ada.start(task.id);
  expect(started).toMatchObject({
    test_count: 3,
    verdict: null,
    score: null,
    points: 4,
    tests: null,
  });
  const run = await ada.client.follow(started.id);
  expect(run).toMatchObject({
    ...{ status: 'completed', return_code: null, termination_reason: null, signal: null },
    ...{ verdict: 'wrong_answer', score: 2, points: 4, stdout: '', compile: null, files: [] },
    tests: [
      { name: 'small', verdict: 'accepted', return_code: 0, stdout: '3\n', stderr: '', message: null, points: 1 },
      { name: 'wrong', verdict: 'wrong_answer', message: 'line 1: expected "5", found "4"', points: 0 },
      { name: null, verdict: 'accepted', stdout: '0\n', points: 1, hidden: true },
    ],
  });
  const { tests } = run as { tests: { wall_time_ms: number; memory_usage_bytes: number }[] };
  expect(run.execution_time_ms).toBe(tests.reduce((sum, test) => sum + test.wall_time_ms, 0));
  expect(run.memory_usage_bytes).toBe(Math.max(...tests.map((test) => test.memory_usage_bytes)));
  expect((await ada.task(task.id)).status).toBe('completed');
});

test('lists say how many tests there are, and the verdict', async () => {
  const { id } = await ada.createTask({ ...SUM, tests: TESTS });
  await ada.client.follow((await ada.start(id)).id);
  const tasks = await ada.ok('GET', '/tasks?limit=1');
  expect(tasks.tasks[0]).toMatchObject({ id, test_count: 3, tests: null, judge: null });
  for (const query of ['', '?include=output']) {
    const { executions } = await ada.ok('GET', `/tasks/${id}/executions${query}`);
    expect(executions[0]).toMatchObject({ verdict: 'wrong_answer', score: 2, points: 4, tests: null });
  }
});

test('tests and judge of a task change by themselves, and tests can be removed', async () => {
  const { id } = await ada.createTask({ ...SUM, tests: TESTS });
  const judged = await ada.updateTask(id, { judge: { compare: 'numbers', numbers: { absolute: 1 } } });
  expect(judged).toMatchObject({
    tests: [{ name: 'small' }, { name: 'wrong' }, { hidden: true }],
    judge: { compare: 'numbers', numbers: { absolute: 1, relative: 1e-6 }, stop_on: 'never' },
    version: 2,
  });
  expect(await ada.client.follow((await ada.start(id)).id)).toMatchObject({ verdict: 'accepted', score: 4 });
  const unchanged = await ada.updateTask(id, { tests: TESTS });
  expect(unchanged.version).toBe(2);
  const one = await ada.updateTask(id, { tests: [{ stdin: '1 1', expected_stdout: '9' }] });
  expect(one).toMatchObject({ test_count: 1, judge: { compare: 'numbers' }, version: 3 });
  expect(await ada.updateTask(id, { tests: null })).toMatchObject({ test_count: 0, tests: null, judge: null });
  const before = await ada.ok('GET', `/tasks/${id}?as_of=5`);
  expect(before).toMatchObject({ test_count: 1, tests: [{ stdin: '1 1' }] });
  expect(await ada.client.follow((await ada.start(id, { input: { stdin: '3 4' } })).id)).toMatchObject({
    ...{ status: 'completed', stdout: '7\n', verdict: null, points: null, tests: null, test_count: 0 },
  });
  expect(await ada.send('PUT', `/tasks/${id}`, { judge: {} })).toMatchObject({
    status: 400,
    body: { validation_errors: [{ field: 'judge', tag: 'required_with' }] },
  });
});

test('one execution has tests of its own, or none', async () => {
  const { id } = await ada.createTask({ ...SUM, tests: TESTS, max_parallel: 2 });
  const tests = [{ name: 'own', stdin: '5 5', expected_stdout: '10' }];
  const own = await ada.client.follow((await ada.start(id, { tests, judge: { compare: 'exact' } })).id);
  expect(own).toMatchObject({ verdict: 'wrong_answer', points: 1, tests: [{ name: 'own', stdout: '10\n' }] });
  const none = await ada.client.follow((await ada.start(id, { tests: null, input: { stdin: '5 6' } })).id);
  expect(none).toMatchObject({ stdout: '11\n', verdict: null, test_count: 0 });
  const external = await ada.start(id, { executor: 'external' });
  expect(external).toMatchObject({ test_count: 0, points: null });
  await ada.cancel(external.id);
});

test('a one-shot execution has tests, a checker, and common input', async () => {
  const body = {
    ...{
      name: 'shot',
      script_type: 'python',
      script_content: 'import sys; print(open("data").read() + input() + sys.argv[1])',
    },
    input: { args: ['!'], files: [{ path: 'data', content: 'common ' }], stdin: 'in' },
    tests: [{}, { stdin: 'own', args: ['?'] }, { files: [{ path: 'data', content: 'mine ' }] }],
    judge: {
      compare: 'checker',
      checker: { script_type: 'sh', script_content: 'cat output; [ "$(cat output)" = "common in!" ]' },
    },
  };
  const run = await ada.send('POST', '/executions?wait=60', body);
  expect(run).toMatchObject({ status: 201, body: { status: 'completed', verdict: 'wrong_answer', score: 1 } });
  expect(run.body.tests.map(({ verdict, message }: any) => [verdict, message])).toEqual([
    ['accepted', 'common in!'],
    ['wrong_answer', 'common own?'],
    ['wrong_answer', 'mine in!'],
  ]);
});

test('a program that does not compile has a verdict, and no tests', async () => {
  const tests = [{ expected_stdout: 'x' }];
  const body = { name: 'broken', script_type: 'go', script_content: 'package main\nfunc main() { x }', tests };
  const run = await ada.send('POST', '/executions?wait=60', body);
  expect(run.body).toMatchObject({
    ...{ status: 'failed', termination_reason: 'compile', verdict: 'compile_error', score: 0, points: 1, tests: null },
    compile: { return_code: 1, stderr: expect.stringContaining('undefined: x') },
  });
});

test('finished tests are followed live, each once, before the end of their execution', async () => {
  const tests = Array.from({ length: 4 }, (_, index) => ({
    name: `n${index}`,
    stdin: String(index),
    expected_stdout: 'secret 2',
    hidden: true,
  }));
  const script_content = 'read n; echo secret $n; [ $n != 3 ] || sleep 60';
  const { id } = await ada.createTask({ ...SUM, script_content, tests });
  const run = await ada.start(id);
  const stream = await eventsOf(run.id);
  // The last test does not end, so these come while it runs.
  const seen = [];
  for (let count = 0; count < 5; count += 1) seen.push(await stream.next());
  expect(seen.map(({ event, id: version }) => [event, version])).toEqual([
    ['ExecutionRequested', '1'],
    ['ExecutionAttemptStarted', '2'],
    ['test', undefined],
    ['test', undefined],
    ['test', undefined],
  ]);
  expect(seen[2]!.data).toEqual({
    ...{ index: 0, name: 'n0', verdict: 'wrong_answer', points: 0 },
    ...{ wall_time_ms: expect.any(Number), cpu_time_ms: expect.any(Number), memory_usage_bytes: expect.any(Number) },
  });
  await ada.cancel(run.id);
  expect((await stream.rest()).map(({ event }) => event)).toEqual([
    'ExecutionCancellationRequested',
    'ExecutionCancelled',
  ]);
  const ended = await ada.execution(run.id);
  expect(ended).toMatchObject({ status: 'cancelled', verdict: 'wrong_answer', score: 1 });
  expect(ended.tests!.map(({ verdict }) => verdict)).toEqual(['wrong_answer', 'wrong_answer', 'accepted']);

  const late = await (await eventsOf(run.id)).rest();
  expect(late.map(({ event }) => event)).toEqual([
    ...['ExecutionRequested', 'ExecutionAttemptStarted', 'ExecutionCancellationRequested'],
    ...['test', 'test', 'test', 'ExecutionCancelled'],
  ]);
  expect(late.filter(({ event }) => event === 'test').map(({ data }) => data)).toEqual(
    seen.slice(2).map(({ data }) => data),
  );
});

test('an execution with tests is repeated with the same tests, or with those that the task has now', async () => {
  const { id } = await ada.createTask({ ...SUM, tests: TESTS, max_parallel: 5 });
  const own = [{ name: 'own', stdin: '1 1', expected_stdout: '2' }];
  const [ofTask, ofRun] = [await ada.start(id), await ada.start(id, { tests: own })];
  await Promise.all([ofTask, ofRun].map((run) => ada.client.follow(run.id)));
  await ada.updateTask(id, { tests: [{ name: 'new', stdin: '1 1', expected_stdout: '2' }] });
  const again = async (source: string, body?: object) =>
    (await ada.send('POST', `/executions/${source}/rerun?wait=60`, body)).body;
  expect((await again(ofTask.id)).tests).toHaveLength(3);
  expect((await again(ofRun.id)).tests).toMatchObject([{ name: 'own' }]);
  expect((await again(ofTask.id, { definition: 'current' })).tests).toMatchObject([{ name: 'new' }]);

  const { events } = await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(ofRun.id)));
  const stored = payloadIn(events[0]!.data, 'suite', 'payload');
  await new PayloadDestruction(api.service.processes[0]!.infra.pool).destroy([stored]);
  expect(await ada.send('POST', `/executions/${ofRun.id}/rerun`)).toMatchObject({
    status: 409,
    body: { error: 'The tests of this execution have been erased' },
  });
});

test('what was erased is null, and the verdict stays', async () => {
  const { id } = await ada.createTask({ ...SUM, tests: TESTS });
  const run = await ada.client.follow((await ada.start(id)).id);
  const { events } = await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(run.id)));
  const results = payloadIn(events.at(-1)!.data, 'result', 'suite', 'tests');
  const suite = payloadIn(events[0]!.data, 'suite', 'payload');
  await new PayloadDestruction(api.service.processes[0]!.infra.pool).destroy([results, suite]);
  expect(await ada.execution(run.id)).toMatchObject({ verdict: 'wrong_answer', score: 2, tests: null });
  expect(await ada.task(id)).toMatchObject({ test_count: 3, tests: null, judge: null });
  expect((await (await eventsOf(run.id)).rest()).map(({ event }) => event)).not.toContain('test');
  const lost = await ada.client.follow((await ada.start(id, { retry: { max_attempts: 1 } })).id);
  expect(lost).toMatchObject({ status: 'failed', termination_reason: 'infrastructure', verdict: null });
});

test('a new runtime must suit the tests that a task has', async () => {
  const tests = [{ files: [{ path: 'main.js', content: 'x' }], limits: { memory_mb: 16 } }];
  const { id } = await ada.createTask({ ...SUM, tests });
  expect(await ada.send('PUT', `/tasks/${id}`, { script_type: 'javascript' })).toMatchObject({
    status: 400,
    body: { validation_errors: [{ field: 'tests.0.limits.memory_mb' }, { field: 'tests.0.files' }] },
  });
  expect(await ada.updateTask(id, { script_type: 'python' })).toMatchObject({ script_type: 'python', version: 2 });
});

test('of concurrent changes of tests and of their judge none is lost', async () => {
  const { id } = await ada.createTask({ ...SUM, tests: TESTS });
  const answers = await Promise.all([
    ada.send('PUT', `/tasks/${id}`, { tests: [{ name: 'new' }] }),
    ada.send('PUT', `/tasks/${id}`, { judge: { compare: 'exact' } }),
  ]);
  const changed = answers.map(({ status }) => status === 200);
  for (const { status, body } of answers)
    if (status !== 200)
      expect([status, body.type]).toEqual([409, expect.stringMatching('task_changed|version_conflict')]);
  const { tests, judge } = await ada.task(id);
  expect(changed).toContain(true);
  expect([tests!.length === 1, judge!.compare === 'exact']).toEqual(changed);
});

const HALF = 'x'.repeat(8 * 1024 ** 2);
const invalid: Record<string, [body: object, field: string]> = {
  'no tests at all': [{ tests: [] }, 'tests'],
  '501 tests': [{ tests: Array.from({ length: 501 }, () => ({})) }, 'tests'],
  'a judge without tests': [{ judge: {} }, 'judge'],
  'a checker that is missing': [{ tests: [{}], judge: { compare: 'checker' } }, 'judge.checker'],
  'a checker beside another comparison': [
    { tests: [{}], judge: { checker: { script_type: 'bash', script_content: 'x' } } },
    'judge.checker',
  ],
  'a checker in an unknown language': [
    { tests: [{}], judge: { compare: 'checker', checker: { script_type: 'cobol', script_content: 'x' } } },
    'judge.checker.script_type',
  ],
  'a tolerance beside another comparison': [{ tests: [{}], judge: { numbers: {} } }, 'judge.numbers'],
  'a memory limit that is too high': [{ tests: [{}, { limits: { memory_mb: 1e6 } }] }, 'tests.1.limits.memory_mb'],
  'a memory limit that is too low': [{ tests: [{ limits: { memory_mb: 16 } }] }, 'tests.0.limits.memory_mb'],
  'a timeout that is too long': [{ tests: [{ timeout_seconds: 1e6 }] }, 'tests.0.timeout_seconds'],
  'a file at the path of the script': [{ tests: [{ files: [{ path: 'main.js', content: '' }] }] }, 'tests.0.files'],
  'files at one path': [
    {
      tests: [
        {
          files: [
            { path: 'a', content: '' },
            { path: 'a/b', content: '' },
          ],
        },
      ],
    },
    'tests.0.files',
  ],
  'too many bytes': [{ tests: [{ stdin: HALF }, { expected_stdout: `${HALF}x` }] }, 'tests'],
  'a return code that no program has': [{ tests: [{ expected_return_code: 256 }] }, 'tests.0.expected_return_code'],
  'negative points': [{ tests: [{ points: -1 }] }, 'tests.0.points'],
  'an unknown field': [{ tests: [{ output: 'x' }] }, 'tests.0.output'],
};
test.each(Object.entries(invalid))('%s is refused, and nothing is stored', async (_, [fields, field]) => {
  const body = { name: 'x', script_type: 'javascript', script_content: '1', ...fields };
  const { id } = await ada.createTask({ ...SUM, script_type: 'javascript' });
  const [head, stored] = [await api.head(), await storedBy(ada)];
  for (const [method, path, sent] of [
    ['POST', '/tasks', body],
    ['POST', '/executions', body],
    ['PUT', `/tasks/${id}`, fields],
    ['POST', `/tasks/${id}/executions`, fields],
  ] as const) {
    const answer = await ada.send(method, path, sent);
    expect([method, path, answer.status, answer.body.validation_errors?.[0]?.field]).toEqual([
      method,
      path,
      400,
      field,
    ]);
  }
  expect([await api.head(), await storedBy(ada)]).toEqual([head, stored]);
});

test('tests are refused for an external execution, and for the task of another person', async () => {
  const { id } = await ada.createTask(SUM);
  expect(await ada.send('POST', `/tasks/${id}/executions`, { executor: 'external', tests: TESTS })).toMatchObject({
    status: 400,
    body: { validation_errors: [{ field: 'tests', tag: 'exclusive' }] },
  });
  expect((await eve.send('POST', `/tasks/${id}/executions`, { tests: TESTS })).status).toBe(403);
  expect((await eve.send('PUT', `/tasks/${id}`, { tests: TESTS })).status).toBe(403);
});

test('a test may have bytes that are no text in a file, and NUL in its input', async () => {
  const files = [{ path: 'bin', content: Buffer.from([0, 255]).toString('base64'), encoding: 'base64' as const }];
  const tests = [{ stdin: '\u0000', files, expected_stdout: '\u0000' }];
  const task = await ada.createTask({ ...SUM, script_content: 'cat; wc -c <bin >&2', tests });
  expect(task.tests).toMatchObject(tests);
  expect((await ada.client.follow((await ada.start(task.id)).id)).tests).toMatchObject([
    { verdict: 'accepted', stdout: '\u0000', stderr: '2\n' },
  ]);
});
