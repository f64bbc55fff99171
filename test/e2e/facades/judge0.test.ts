import { FIELDS } from '../../../src/facades/judge0/submission-fields.js';
import { PayloadSweep } from '../../../src/platform/payloads/payload-sweep.js';
import { eventually } from '../../support/eventually.js';
import { FacadeService, keyOf } from './support/facade-client.js';
import { expected, recordedIn } from './support/recorded.js';
import { zipOf, type ZipEntry } from './support/zip.js';

let service: FacadeService;

beforeAll(async () => {
  service = await FacadeService.start('/judge0', { EXECUTOR_OUTPUT_BYTES_MAX: '8192' });
});
afterAll(() => service.close());

const PYTHON = 71;
const C = 50;

test.each(recordedIn('judge0'))('%s', async (_name, { request, response }) => {
  const { status, body } = await service.send(request.method, request.path, request.body);
  expect({ status, body }).toEqual({ status: response.status, body: expected(response.body) });
});

const create = (body: object, query = '', headers?: Record<string, string>) =>
  service.send('POST', `/submissions?${query}`, body, headers);
const run = async (body: object, query = 'wait=true&fields=*') => (await create(body, query)).body;
const python = (source_code: string, more: object = {}) => run({ source_code, language_id: PYTHON, ...more });
const c = (source_code: string) => run({ source_code, language_id: C });

const endOf = ({ status, exit_code, exit_signal, message }: any) => [
  `${status.id} ${status.description}`,
  ...[exit_code, exit_signal, message],
];

test.each<[string, string, object, unknown[]]>([
  ['accepted', 'print("a  "); print()', { expected_output: 'a' }, ['3 Accepted', 0, null, null]],
  ['nothing expected', 'print("a")', {}, ['3 Accepted', 0, null, null]],
  ['wrong answer', 'print("a")', { expected_output: ' a' }, ['4 Wrong Answer', 0, null, null]],
  ['no output', 'pass', { expected_output: 'a' }, ['4 Wrong Answer', 0, null, null]],
  [
    'wall time',
    'import time; time.sleep(60)',
    { wall_time_limit: 1 },
    ['5 Time Limit Exceeded', 0, null, 'Time limit exceeded (wall clock)'],
  ],
  [
    'CPU time',
    'while True: pass',
    { cpu_time_limit: 0.2, cpu_extra_time: 0 },
    ['5 Time Limit Exceeded', 0, null, 'Time limit exceeded'],
  ],
  [
    'CPU time within the extra time',
    'import time\nwhile time.process_time() < 0.5: pass',
    { cpu_time_limit: 0.1, cpu_extra_time: 5 },
    ['5 Time Limit Exceeded', 0, null, 'Time limit exceeded'],
  ],
  [
    'SIGSEGV',
    'import os, signal; os.kill(os.getpid(), signal.SIGSEGV)',
    {},
    ['7 Runtime Error (SIGSEGV)', null, 11, 'Caught fatal signal 11'],
  ],
  [
    'too much output',
    'print("x" * 100_000)',
    { max_file_size: 4 },
    ['8 Runtime Error (SIGXFSZ)', null, 25, 'Caught fatal signal 25'],
  ],
  [
    'SIGFPE',
    'import os, signal; os.kill(os.getpid(), signal.SIGFPE)',
    {},
    ['9 Runtime Error (SIGFPE)', null, 8, 'Caught fatal signal 8'],
  ],
  ['SIGABRT', 'import os; os.abort()', {}, ['10 Runtime Error (SIGABRT)', null, 6, 'Caught fatal signal 6']],
  [
    'another exit code',
    'import sys; sys.exit(3)',
    { expected_output: 'a' },
    ['11 Runtime Error (NZEC)', 3, null, 'Exited with error status 3'],
  ],
  [
    'too much memory',
    'x = bytearray(200_000_000)',
    { memory_limit: 65_536 },
    ['12 Runtime Error (Other)', null, 9, 'Caught fatal signal 9'],
  ],
])('%s has its status, then and later', async (_name, source, more, end) => {
  const created = await python(source, more);
  expect(endOf(created)).toEqual(end);
  expect((await service.send('GET', `/submissions/${created.token}?fields=*`)).body).toEqual(created);
});

test('a program that does not compile, and one that is killed by the processor', async () => {
  const bad = await c('int main(void) { return nothing; }');
  expect(endOf(bad)).toEqual(['6 Compilation Error', null, null, null]);
  expect(bad).toMatchObject({ stdout: null, stderr: null, compile_output: expect.stringContaining('nothing') });
  const broken = await c('int main(void) { volatile int *nowhere = 0; return *nowhere; }');
  expect(endOf(broken)).toEqual(['7 Runtime Error (SIGSEGV)', null, 11, 'Caught fatal signal 11']);
  const warned = await c('#include <stdio.h>\n#warning careful\nint main(void) { puts("ran"); }');
  expect(warned).toMatchObject({ stdout: 'ran\n', compile_output: expect.stringContaining('careful') });
});

test('an execution that is cancelled is an internal error; one that waits is in the queue', async () => {
  const { token } = await run(
    { source_code: 'import time; time.sleep(60)', language_id: PYTHON, wall_time_limit: 90 },
    '',
  );
  const status = async () => (await service.send('GET', `/submissions/${token}`)).body.status;
  expect([1, 2]).toContain((await status()).id);
  await eventually(async () => expect(await status()).toEqual({ id: 2, description: 'Processing' }));
  await service.ada.cancel(token);
  await eventually(async () => expect(await status()).toEqual({ id: 13, description: 'Internal Error' }));
});

test('all fields repeat what was sent, and what became of it', async () => {
  const sent = {
    source_code: 'import sys; print(sys.argv[1:], sys.stdin.read()); print("e", file=sys.stderr)',
    stdin: 'in',
    expected_output: "['a b', 'c'] in",
    command_line_arguments: `"a b" c; `,
    ...{ cpu_time_limit: 1.5, cpu_extra_time: 1, wall_time_limit: 4, memory_limit: 131_072, stack_limit: 64_000 },
    ...{ max_processes_and_or_threads: 32, max_file_size: 8 },
  };
  const { body, status } = await create({ ...sent, language_id: '92' }, 'wait=true&fields=*');
  expect(status).toBe(201);
  expect(Object.keys(body).toSorted()).toEqual([...FIELDS].toSorted());
  expect(body).toMatchObject({
    ...{ source_code: sent.source_code, stdin: 'in', expected_output: sent.expected_output },
    ...{ language_id: 92, language: { id: 92, name: expect.stringMatching(/^Python \(/) } },
    ...{ stdout: "['a b', 'c'] in\n", stderr: 'e\n', compile_output: null, status_id: 3 },
    command_line_arguments: "'a b' c",
    ...{ cpu_time_limit: '1.5', cpu_extra_time: '1.0', wall_time_limit: '4.0' },
    ...{ memory_limit: 131_072, stack_limit: 64_000, max_processes_and_or_threads: 32, max_file_size: 8 },
    ...{ number_of_runs: 1, enable_network: false, redirect_stderr_to_stdout: false, callback_url: null },
    ...{ time: expect.stringMatching(/^\d+(\.\d+)?$/), wall_time: expect.stringMatching(/^\d+(\.\d+)?$/) },
    ...{ memory: expect.any(Number), created_at: expect.any(String), finished_at: expect.any(String) },
  });
  const encoded = await service.send('GET', `/submissions/${body.token}?base64_encoded=true&fields=source_code,stdout`);
  const lines = Buffer.from(sent.source_code)
    .toString('base64')
    .match(/.{1,60}/g)!;
  expect(encoded.body).toEqual({
    source_code: `${lines.join('\n')}\n`,
    stdout: `${Buffer.from(body.stdout).toString('base64')}\n`,
  });
  const task = await service.ada.task((await service.ada.execution(body.token)).task_id);
  expect(task).toMatchObject({ test_count: 1, timeout_seconds: 4, limits: { pids: 32, cpu_time_seconds: 2.5 } });
  expect(await service.ada.execution(body.token)).toMatchObject({ test_count: 0, status: 'completed' });
});

test('what is not UTF-8 is asked for in base64', async () => {
  const { token } = await python('import sys; sys.stdout.buffer.write(b"\\xfe")', {});
  const get = (query: string) => service.send('GET', `/submissions/${token}?${query}`);
  expect(await get('')).toMatchObject({ status: 400, body: { error: expect.stringContaining('base64_encoded=true') } });
  expect((await get('fields=status_id')).body).toEqual({ status_id: 3 });
  expect((await get('base64_encoded=true&fields=stdout')).body).toEqual({ stdout: '/g==\n' });
  const several = await service.send('GET', `/submissions/batch?tokens=${token}`);
  expect([several.status, several.body]).toEqual([
    400,
    {
      error:
        'some attributes for one or more submissions cannot be converted to UTF-8, use base64_encoded=true query parameter',
    },
  ]);
  const binary = await create({ source_code: '/g==', language_id: PYTHON }, 'base64_encoded=true');
  expect([binary.status, binary.body]).toEqual([422, { source_code: ['must be UTF-8'] }]);
});

test('a batch starts what is valid; it is read in the order of its tokens', async () => {
  const submissions = [
    { source_code: 'print(input())', language_id: PYTHON, stdin: 'one', expected_output: 'one' },
    { source_code: 'x', language_id: 1_000_000 },
    { source_code: 'print(2)', language_id: PYTHON, expected_output: '3' },
  ];
  const { status, body } = await service.send('POST', '/submissions/batch', { submissions });
  expect([status, body]).toEqual([
    201,
    [
      { token: expect.any(String) },
      { language_id: ["language with id 1000000 doesn't exist"] },
      { token: expect.any(String) },
    ],
  ]);
  const tokens = [body[2].token, 'nothing', body[0].token].join(',');
  await eventually(async () => {
    const read = await service.send('GET', `/submissions/batch?tokens=${tokens}&fields=token,status_id,stdout`);
    expect(read.body).toEqual({
      submissions: [
        { token: body[2].token, status_id: 4, stdout: '2\n' },
        null,
        { token: body[0].token, status_id: 3, stdout: 'one\n' },
      ],
    });
  });
  const batches = await service.ada.ok('GET', '/batches');
  expect(batches.total).toBe(1);
});

test('submissions are listed, newest first', async () => {
  await service.api.listsCaughtUp();
  const { body } = await service.send('GET', '/submissions?page=2&per_page=2&fields=token,language');
  const all = await service.ada.ok('GET', '/executions?limit=2&offset=2');
  expect(body.submissions.map(({ token }: any) => token)).toEqual(all.executions.map(({ id }: any) => id));
  expect(body.meta).toEqual({
    ...{ current_page: 2, next_page: 3, prev_page: 1 },
    ...{ total_pages: Math.ceil(all.total / 2), total_count: all.total },
  });
});

test('languages are those that a worker offers, by the newest id of Judge0 and by older ones', async () => {
  const { body: listed } = await service.send('GET', '/languages');
  expect(listed).toContainEqual({ id: PYTHON, name: expect.stringMatching(/^Python \(\D*3\.\d+/) });
  expect(listed).toContainEqual({ id: C, name: expect.stringMatching(/^C \(\d+/) });
  const { body: all } = await service.send('GET', '/languages/all');
  expect(all).toContainEqual({ id: 34, name: expect.stringMatching(/^Python/), is_archived: false });
  expect(all.map(({ id }: any) => id)).not.toContain(70);
  expect((await service.send('GET', '/languages/49')).body).toEqual({
    ...{ id: 49, name: expect.stringMatching(/^C \(/), is_archived: false },
    ...{ source_file: 'main.c', compile_cmd: expect.stringContaining('gcc'), run_cmd: expect.any(String) },
  });
  const { body: config } = await service.send('GET', '/config_info');
  expect(config).toMatchObject({
    ...{
      enable_wait_result: true,
      enable_callbacks: true,
      callbacks_timeout: 10,
      allow_enable_network: false,
      max_file_size: 8,
    },
    ...{ max_wall_time_limit: 3_600, memory_limit: 262_144, max_submission_batch_size: 20 },
  });
});

const additional = (entries: readonly ZipEntry[]) => zipOf(entries).toString('base64');

test('additional files are beside the program', async () => {
  const source = 'from lib.part import x; print(x, open("data.txt").read())';
  const files = additional([
    { name: 'lib/', mode: 0o040_755 },
    { name: 'lib/part.py', content: 'x = 7' },
    { name: 'data.txt', content: 'seven' },
    { name: 'main.py', content: 'raise SystemExit("the archive’s, not the source")' },
  ]);
  expect(await python(source, { additional_files: files })).toMatchObject({ stderr: null, stdout: '7 seven\n' });
});

const MIB = 1024 ** 2;
const SYMLINK = 0o120_777;

test.each<[string, () => string, string]>([
  ['no archive', () => 'bm8=', 'is not a zip archive that can be read'],
  ['a bomb', () => additional([{ name: 'x', content: Buffer.alloc(17 * MIB) }]), 'must contain at most 16777216 bytes'],
  [
    'a bomb of many',
    () => additional(Array.from({ length: 100 }, (_, n) => ({ name: `${n}`, content: Buffer.alloc(MIB) }))),
    'must contain at most 16777216 bytes',
  ],
  [
    'a bomb that lies about its size',
    () => additional([{ name: 'x', content: Buffer.alloc(64 * MIB), declaredSize: 10 }]),
    'is not a zip archive that can be read',
  ],
  [
    'too many files',
    () => additional(Array.from({ length: 129 }, (_, n) => ({ name: `${n}` }))),
    'must contain at most 128 files',
  ],
  ['a path that leaves', () => additional([{ name: '../x' }]), 'is not a zip archive that can be read'],
  ['an absolute path', () => additional([{ name: '/etc/x' }]), 'is not a zip archive that can be read'],
  ['a backslash', () => additional([{ name: String.raw`..\x` }]), 'is not a zip archive that can be read'],
  ['a dot', () => additional([{ name: './x' }]), 'must contain only relative paths inside the archive'],
  [
    'a link',
    () => additional([{ name: 'x', content: '/etc/passwd', mode: SYMLINK }]),
    'must contain only files and folders',
  ],
  ['an encrypted file', () => additional([{ name: 'x', isEncrypted: true }]), 'must not be encrypted'],
  ['two of one name', () => additional([{ name: 'x' }, { name: 'x' }]), 'must each have a place of their own'],
])('additional files: %s is refused', async (_name, archive, message) => {
  const { status, body } = await create({ source_code: '1', language_id: PYTHON, additional_files: archive() });
  expect([status, body]).toEqual([422, { additional_files: [message] }]);
});

test('what this service itself refuses has Judge0’s shape', async () => {
  const long = await create({ source_code: 'x'.repeat(65_536), language_id: PYTHON });
  expect([long.status, Object.keys(long.body)]).toEqual([422, ['source_code']]);
  const malformed = await service.send('POST', '/submissions', '{');
  expect([malformed.status, malformed.body]).toEqual([400, { error: 'Malformed JSON' }]);
  const type = { 'content-type': 'text/plain', 'x-auth-token': service.key };
  const text = await service.send('POST', '/submissions', '{}', type);
  expect([text.status, text.body]).toEqual([415, { error: 'Unsupported media type' }]);
});

test('each header of the key works; a missing, a wrong and a weak key are refused', async () => {
  const answer = async (headers: Record<string, string>, path = '/submissions', method = 'POST') => {
    const body = method === 'POST' ? { source_code: 'print(1)', language_id: PYTHON } : undefined;
    const { status, body: sent } = await service.send(method, path, body, headers);
    return [status, sent];
  };
  const sent: readonly Record<string, string>[] = [
    { 'x-auth-token': service.key },
    { 'x-rapidapi-key': service.key, 'x-rapidapi-host': 'judge0-ce.p.rapidapi.com' },
    { 'x-api-key': service.key },
    { authorization: `Bearer ${service.key}` },
  ];
  for (const headers of sent) {
    expect(await answer(headers)).toEqual([201, { token: expect.any(String) }]);
  }
  expect(await answer({})).toEqual([401, { error: 'authorization header required' }]);
  expect(await answer({}, '/languages', 'GET')).toEqual([401, { error: 'authorization header required' }]);
  expect(await answer({ 'x-auth-token': 'vr_wrong' }, '/authenticate')).toEqual([
    401,
    { error: 'Invalid or expired token' },
  ]);
  const reader = { 'x-auth-token': await keyOf(service.ada, ['executions:read']) };
  expect(await answer(reader)).toEqual([403, { error: 'The API key lacks the scope executions:write' }]);
  expect((await answer(reader, '/languages', 'GET'))[0]).toBe(200);
  const query = await answer({}, `/languages?X-Auth-Token=${service.key}`, 'GET');
  expect(query).toEqual([400, { error: expect.stringContaining('must not be in the URL') }]);
});

test('a submission belongs to the owner of the key', async () => {
  const { token } = (await create({ source_code: '1', language_id: PYTHON })).body;
  const headers = { 'x-auth-token': await keyOf(await service.api.register()) };
  const one = await service.send('GET', `/submissions/${token}`, undefined, headers);
  expect([one.status, one.body]).toEqual([403, { error: 'Access denied' }]);
  const several = await service.send('GET', `/submissions/batch?tokens=${token}`, undefined, headers);
  expect(several.body).toEqual({ submissions: [null] });
});

test('an Idempotency-Key creates a submission, and a batch, once', async () => {
  const headers = { 'x-auth-token': service.key, 'idempotency-key': 'k' };
  const body = { source_code: 'print(1)', language_id: PYTHON };
  const [one, again] = [await create(body, '', headers), await create(body, '', headers)];
  expect(again.body).toEqual(one.body);
  const batch = () => service.send('POST', '/submissions/batch', { submissions: [body, {}] }, headers);
  const [first, second] = [await batch(), await batch()];
  expect(second.body).toEqual(first.body);
  expect((await create({ ...body, stdin: 'x' }, '', headers)).status).toBe(422);
});

test('an output that is no longer kept is not judged again; a submission without an expected one stays', async () => {
  const body = { source_code: 'print(1)', language_id: PYTHON };
  const { token: judged } = await run({ ...body, expected_output: '1' }, 'wait=true');
  const { token: other } = await run(body, 'wait=true');
  const { pool } = service.api.service.processes[0]!.infra;
  const retention = { executionsMs: 1, deletedTasksMs: 0, unreferencedScriptsMs: 0 };
  await new PayloadSweep(pool, retention).sweep(new AbortController().signal);
  const { body: read } = await service.send(
    'GET',
    `/submissions/batch?tokens=${judged},${other}&fields=stdout,status_id,message,source_code,expected_output`,
  );
  const kept = { stdout: null, source_code: 'print(1)' };
  expect(read.submissions).toEqual([
    { ...kept, status_id: 13, message: expect.stringContaining('no longer kept'), expected_output: '1' },
    { ...kept, status_id: 3, message: null, expected_output: null },
  ]);
});
