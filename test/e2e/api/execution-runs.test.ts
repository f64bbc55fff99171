import { type CreateTask, ok, type StartExecution, withId } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Api, type Person } from './support/api.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start({ WORKER_POOL_SIZE: '2' });
  ada = await api.register();
});
afterAll(() => api.close());

const bash = (script_content: string, more: Partial<CreateTask> = {}) =>
  ada.createTask({ script_type: 'bash', script_content, ...more });

const bytesOf = async (id: string, stream: string): Promise<{ type: string | null; bytes: Buffer }> => {
  const headers = { authorization: `Bearer ${ada.token}` };
  const answer = await fetch(`${api.service.url}/api/v1/executions/${id}/output/${stream}`, { headers });
  return { type: answer.headers.get('content-type'), bytes: Buffer.from(await answer.arrayBuffer()) };
};

const INPUT: NonNullable<StartExecution['input']> = {
  stdin: 'first\nzweite ✓\n',
  args: ['one', 'two words', '', '--flag=ü'],
  env: { GREETING: 'hällo', EMPTY: '' },
  files: [
    { path: 'data/text.txt', content: 'ünïcode\n' },
    { path: 'raw.bin', content: Buffer.from([0, 255, 10, 128]).toString('base64'), encoding: 'base64' },
  ],
};

const TELL_INPUT = `
import json, os, sys
print(json.dumps({
    'stdin': sys.stdin.read(),
    'args': sys.argv[1:],
    'env': {name: os.environ.get(name) for name in ('GREETING', 'EMPTY')},
    'text': open('data/text.txt', encoding='utf8').read(),
    'raw': list(open('raw.bin', 'rb').read()),
}))
`;

test('a program gets its input', async () => {
  const { id } = await ada.createTask({ script_content: TELL_INPUT });
  const ended = await ada.client.follow((await ada.start(id, { input: INPUT })).id);
  expect(ended).toMatchObject({ status: 'completed', stderr: '' });
  expect(JSON.parse(ended.stdout!)).toEqual({
    stdin: INPUT.stdin,
    args: INPUT.args,
    env: INPUT.env,
    text: 'ünïcode\n',
    raw: [0, 255, 10, 128],
  });
  const { events } = await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(ended.id)));
  expect(JSON.stringify(events)).not.toMatch(/zweite|two words|hällo|text\.txt/);
});

test.each<[string, NonNullable<StartExecution['input']>, number[]]>([
  ['in base64', { stdin_base64: Buffer.from([0, 255, 10, 0, 128]).toString('base64') }, [0, 255, 10, 0, 128]],
  ['of text with NUL', { stdin: 'a\0ü' }, [97, 0, 0xc3, 0xbc]],
  ['that is empty, in base64', { stdin_base64: '' }, []],
])('a program reads a stdin %s byte for byte', async (_what, input, bytes) => {
  const { id } = await ada.createTask({ script_content: 'import sys; print(list(sys.stdin.buffer.read()))' });
  const ended = await ada.client.follow((await ada.start(id, { input })).id);
  expect(ended).toMatchObject({ status: 'completed', stderr: '' });
  expect(JSON.parse(ended.stdout!)).toEqual(bytes);
});

test('an execution may have other limits, timeout, priority and retries than its task', async () => {
  const task = await bash('ulimit -a >/dev/null; nproc; while :; do :; done', { timeout_seconds: 300 });
  const body = {
    ...{
      priority: 9,
      timeout_seconds: 60,
      retry: { max_attempts: 2, initial_delay_ms: 0, retry_on: ['timeout' as const] },
    },
    limits: { memory_mb: 32, cpu_time_seconds: 0.2, output_bytes: 1_024 },
  };
  const ended = await ada.client.follow((await ada.start(task.id, body)).id);
  expect(ended).toMatchObject({ status: 'timeout', termination_reason: 'cpu_time', attempt: 2, dead_lettered: true });
  expect(ended.notes).toContain('the limit of CPU time was reached');
  const { events } = await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(ended.id)));
  expect(events[0]!.data).toMatchObject({
    ...{ priority: 9, timeout_seconds: 60, retry: { max_attempts: 2, backoff_factor: 2, retry_on: ['timeout'] } },
    limits: { memory_mb: 32, cpus: 1, pids: 64, cpu_time_seconds: 0.2, output_bytes: 1_024 },
  });
  expect(await ada.task(task.id)).toMatchObject({ version: 1, timeout_seconds: 300, limits: { memory_mb: 256 } });
});

test.each([
  [
    'above the operator’s maximum',
    { limits: { memory_mb: 513 }, timeout_seconds: 3_601 },
    ['timeout_seconds', 'limits.memory_mb'],
  ],
  ['below the runtime’s minimum', { limits: { memory_mb: 31 } }, ['limits.memory_mb']],
  ['unknown', { limits: { disk: 1 } }, ['limits.disk']],
])('an override %s is refused, and starts nothing', async (_, body, fields) => {
  const { id } = await ada.createTask({ script_type: 'go', script_content: 'package main' });
  const { status, body: problem } = await ada.send('POST', `/tasks/${id}/executions`, body);
  expect([status, problem.validation_errors.map(({ field }: { field: string }) => field)]).toEqual([400, fields]);
  expect(await ada.task(id)).toMatchObject({ status: 'pending' });
});

test('an input file may contain NUL', async () => {
  const { id } = await ada.createTask({ script_content: "print(list(open('a', 'rb').read()))" });
  const files = [{ path: 'a', content: 'x\0y' }];
  const ended = await ada.client.follow((await ada.start(id, { input: { files } })).id);
  expect(JSON.parse(ended.stdout!)).toEqual([120, 0, 121]);
});

test('the history shows the worker of an attempt, but not its lease', async () => {
  const { id } = await ada.client.follow((await ada.start((await bash('true')).id)).id);
  const log = await api.service.processes[0]!.infra.store.readStream({ type: 'execution', id });
  const { lease_token, ...told } = log.find(({ type }) => type === 'ExecutionAttemptStarted')!.data as Record<
    string,
    unknown
  >;
  expect(lease_token).toEqual(expect.any(String));

  const { events } = await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(id)));
  expect(events[1]).toMatchObject({ type: 'ExecutionAttemptStarted', version: 2 });
  expect(events[1]!.data).toEqual(told);
  expect(JSON.stringify(events)).not.toContain(lease_token);
});

test('output is returned byte for byte, and as text where it is valid text', async () => {
  const { id } = await bash(String.raw`printf 'a\xff\x00b'; printf 'err' >&2; exit 3`);
  const ended = await ada.client.follow((await ada.start(id)).id);
  expect(ended).toMatchObject({
    status: 'failed',
    return_code: 3,
    stdout: 'a\ufffd\0b',
    stderr: 'err',
    stdout_bytes: 4,
  });
  expect(await bytesOf(ended.id, 'stdout')).toEqual({
    type: 'application/octet-stream',
    bytes: Buffer.from([0x61, 0xff, 0x00, 0x62]),
  });
  expect((await bytesOf(ended.id, 'stderr')).bytes.toString()).toBe('err');
  const unknown = await ada.send('GET', `/executions/${ended.id}/output/stdlog`);
  expect([unknown.status, unknown.body.error]).toEqual([400, 'Invalid output stream: stdout or stderr']);
});

test('two concurrent executions of a task are cancelled while they run', async () => {
  const { id } = await bash('echo started; sleep 600', { max_parallel: 2 });
  const runs = [await ada.start(id), await ada.start(id)];
  for (const run of runs) await ada.client.follow(run.id, ({ status }) => status === 'running');
  await api.listsCaughtUp();
  const running = await ok(ada.api.GET('/api/v1/tasks/{id}/executions', withId(id, { status: 'running' })));
  expect(running).toMatchObject({ total: 2 });
  // There is no output before the end.
  expect((await bytesOf(runs[0]!.id, 'stdout')).bytes).toHaveLength(0);
  const third = await ada.api.POST('/api/v1/tasks/{id}/executions', withId(id));
  expect(third.error!.error).toBe('Task is already running');

  for (const run of runs) await ada.cancel(run.id);
  for (const run of runs) {
    const ended = await ada.client.follow(run.id);
    expect(ended).toMatchObject({ status: 'cancelled', termination_reason: 'cancelled' });
    expect((await ada.api.DELETE('/api/v1/executions/{id}', withId(run.id))).response.status).toBe(409);
  }
  // At once: a client that sees the end can start again.
  expect(await ada.task(id)).toMatchObject({ status: 'pending' });
  await ok(ada.api.DELETE('/api/v1/tasks/{id}', withId(id)));
});

test('an execution is retried by its policy, becomes a dead letter, and is redriven', async () => {
  const retry: CreateTask['retry'] = { max_attempts: 2, initial_delay_ms: 0, retry_on: ['exit_code'] };
  const { id } = await bash('echo "try"; exit 1', { retry });
  const run = await ada.start(id);
  const dead = await ada.client.follow(run.id);
  expect(dead).toMatchObject({ status: 'failed', dead_lettered: true, attempt: 2, return_code: 1, stdout: 'try\n' });
  await ok(ada.api.POST('/api/v1/dead-letters/{id}/redrive', withId(run.id)));
  const again = await ada.client.follow(run.id, ({ attempt, dead_lettered }) => attempt === 4 && dead_lettered);
  expect(again).toMatchObject({ status: 'failed', attempt: 4 });
});

test('a timeout may be a fraction of a second', async () => {
  const task = await bash('echo before; sleep 600', { timeout_seconds: 0.75 });
  expect([task.timeout_seconds, (await ada.task(task.id)).timeout_seconds]).toEqual([0.75, 0.75]);
  const ended = await ada.client.follow((await ada.start(task.id)).id);
  expect(ended).toMatchObject({ status: 'timeout', termination_reason: 'timeout', stdout: 'before\n' });
  const once = { name: 'once', script_type: 'bash', script_content: 'sleep 600', timeout_seconds: 0.5 } as const;
  const run = await ok(ada.api.POST('/api/v1/executions', { body: once, params: { query: { wait: 60 } } }));
  expect(run).toMatchObject({ status: 'timeout', termination_reason: 'timeout' });
  await ada.updateTask(task.id, { timeout_seconds: 2.5, script_content: 'echo done' });
  expect(await ada.task(task.id)).toMatchObject({ timeout_seconds: 2.5 });
});

test('an execution ends at its timeout, and its output up to then is kept', async () => {
  const { id } = await bash('echo before; sleep 600', { timeout_seconds: 1 });
  const ended = await ada.client.follow((await ada.start(id)).id);
  expect(ended).toMatchObject({ status: 'timeout', termination_reason: 'timeout', stdout: 'before\n' });
  await eventually(async () => expect(await ada.task(id)).toMatchObject({ status: 'timeout' }));
});

test('a start with ?wait returns the program’s output', async () => {
  const { id } = await bash('echo hello');
  const ended = await ok(ada.api.POST('/api/v1/tasks/{id}/executions', withId(id, { wait: 60 })));
  expect(ended).toMatchObject({ status: 'completed', stdout: 'hello\n' });
});
