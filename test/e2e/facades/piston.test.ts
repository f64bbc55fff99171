import { piston } from 'piston-client';

import { eventually } from '../../support/eventually.js';
import { answerToBytes, problemIn } from '../../support/raw-http.js';
import { FacadeService, keyOf } from './support/facade-client.js';
import { expected, recordedIn } from './support/recorded.js';

let service: FacadeService;

beforeAll(async () => {
  service = await FacadeService.start('/piston/api/v2', { EXECUTOR_OUTPUT_BYTES_MAX: '4096' });
});
afterAll(() => service.close());

test.each(recordedIn('piston'))('%s', async (_name, { request, response }) => {
  const { status, body } = await service.send(request.method, request.path, request.body);
  expect({ status, body }).toEqual({ status: response.status, body: expected(response.body) });
});

const execute = (body: object, headers?: Record<string, string>) => service.send('POST', '/execute', body, headers);
const python = (content: string, more: object = {}) =>
  execute({ language: 'python', version: '*', files: [{ content }], ...more });

test('the documented session of piston-client works with a URL and a key', async () => {
  const server = service.url.replace('://', `://key:${service.key}@`).replace('/api/v2', '');
  const client = piston({ server });
  const runtimes = await client.runtimes();
  expect(runtimes).toContainEqual({
    language: 'python',
    version: expect.stringMatching(/^3\.\d+\.\d+$/),
    aliases: ['python3', 'py'],
  });
  expect(await client.execute('python', 'print("Hello World!")')).toEqual({
    language: 'python',
    version: expect.any(String),
    run: {
      ...{ stdout: 'Hello World!\n', stderr: '', output: 'Hello World!\n', code: 0, signal: null },
      ...{ message: null, status: null },
      ...{ memory: expect.any(Number), cpu_time: expect.any(Number), wall_time: expect.any(Number) },
    },
  });
  const fine = await client.execute({
    language: 'js',
    version: '>=10',
    files: [{ name: 'my_cool_code.js', content: 'console.log(process.argv.slice(2))' }],
    stdin: '',
    args: ['1', '2', '3'],
    compileTimeout: 10_000,
    runTimeout: 3_000,
    compileMemoryLimit: -1,
    runMemoryLimit: -1,
  });
  expect(fine).toMatchObject({ language: 'javascript', run: { stdout: "[ '1', '2', '3' ]\n", code: 0 } });
  expect(await client.execute('cobol', 'x')).toEqual({ message: 'version is required as a string' });
});

test.each([
  ['exit code', 'import sys; sys.exit(3)', {}, ['RE', 3, null, 'Exited with error status 3']],
  ['signal', 'import os; os.abort()', {}, ['SG', null, 'SIGABRT', 'Caught fatal signal 6']],
  [
    'wall time',
    'import time; time.sleep(60)',
    { run_timeout: 300 },
    ['TO', null, 'SIGKILL', 'Time limit exceeded (wall clock)'],
  ],
  ['CPU time', 'while True: pass', { run_cpu_time: 200 }, ['TO', null, 'SIGKILL', 'Time limit exceeded']],
  ['stdout', 'print("x" * 10_000)', {}, ['OL', null, 'SIGKILL', 'stdout length exceeded']],
  ['stderr', 'import sys; sys.stderr.write("x" * 10_000)', {}, ['EL', null, 'SIGKILL', 'stderr length exceeded']],
  [
    'memory',
    'x = bytearray(200_000_000)',
    { run_memory_limit: 64_000_000 },
    ['SG', null, 'SIGKILL', 'Caught fatal signal 9'],
  ],
])('%s has its status', async (_name, content, more, end) => {
  const { status, body } = await python(content, more);
  expect(status).toBe(200);
  const { run } = body;
  expect([run.status, run.code, run.signal, run.message]).toEqual(end);
  expect(body.compile).toBeUndefined();
});

test('a program that does not compile shows its compiler’s result twice; one that does, both', async () => {
  const c = (content: string) => execute({ language: 'c', version: '*', files: [{ name: 'a.c', content }] });
  const { body: bad } = await c('int main(void) { return nothing; }');
  expect(bad.compile).toMatchObject({
    code: 1,
    signal: null,
    status: 'RE',
    stderr: expect.stringContaining('nothing'),
  });
  expect(bad.run).toEqual(bad.compile);
  const { body: good } = await c('#include <stdio.h>\nint main(void) { puts("ran"); return 0; }');
  expect(good.compile).toMatchObject({ code: 0, status: null, output: '' });
  expect(good.run).toMatchObject({ code: 0, stdout: 'ran\n' });
});

test('files in each encoding, folders, args and stdin arrive; stdin ends its last line', async () => {
  const content =
    'import sys; from lib.part import x; print(x, open("b.bin","rb").read(), sys.argv[1:], repr(sys.stdin.read()))';
  const { body } = await execute({
    language: 'py',
    version: '3.x',
    files: [
      { name: 'b.bin', content: Buffer.from([0, 255]).toString('base64'), encoding: 'base64' },
      { name: 'main', content },
      { name: './lib/part.py', content: Buffer.from('x = 7').toString('hex'), encoding: 'hex' },
    ],
    args: ['a b', ''],
    stdin: 'in',
  });
  expect(body.run).toMatchObject({ stderr: '', stdout: `7 b'\\x00\\xff' ['a b', ''] 'in\\n'\n` });
});

test('a run is an execution like any other, with its key and its own id in the answer', async () => {
  const { headers } = await python('print(1)');
  const execution = await service.ada.execution(headers.get('x-execution-id')!);
  expect(execution).toMatchObject({ status: 'completed', stdout: '1\n' });
  const { events } = await service.ada.ok('GET', `/executions/${execution.id}/events`);
  expect(events[0].actor).toBe(`user:${service.ada.id}`);
});

test('a program whose client disconnects is cancelled', async () => {
  const leaving = new AbortController();
  const body = {
    language: 'python',
    version: '*',
    files: [{ content: 'import time; time.sleep(60)' }],
    run_timeout: 60_000,
  };
  const headers = { authorization: service.key, 'content-type': 'application/json' };
  const request = { method: 'POST', body: JSON.stringify(body), headers, signal: leaving.signal };
  const sent = fetch(`${service.url}/execute`, request).catch((error: Error) => error.name);
  const newest = async () => (await service.ada.ok('GET', '/executions?limit=1')).executions[0];
  await eventually(async () => expect(await newest()).toMatchObject({ status: 'running' }));
  leaving.abort();
  expect(await sent).toBe('AbortError');
  await eventually(async () => expect(await newest()).toMatchObject({ status: 'cancelled' }));
});

test('an Idempotency-Key runs a program once', async () => {
  const headers = { authorization: service.key, 'idempotency-key': 'once' };
  const body = { language: 'python', version: '*', files: [{ content: 'import uuid; print(uuid.uuid4())' }] };
  const [first, second] = [await execute(body, headers), await execute(body, headers)];
  expect(second.body).toEqual(first.body);
  expect(second.headers.get('idempotent-replayed')).toBe('true');
  expect((await execute({ ...body, stdin: 'other' }, headers)).status).toBe(422);
});

test('each form of the credential works, and errors have Piston’s shape', async () => {
  const body = { language: 'python', version: '*', files: [{ content: 'print(1)' }] };
  for (const headers of [
    { authorization: service.key },
    { authorization: `Bearer ${service.key}` },
    { 'x-api-key': service.key },
    { authorization: service.key, 'x-api-key': service.key },
  ]) {
    expect((await execute(body, headers as Record<string, string>)).status).toBe(200);
  }
  const refused = async (headers: Record<string, string>) => {
    const { status, body: answer } = await execute(body, headers);
    return [status, answer];
  };
  expect(await refused({})).toEqual([401, { message: 'authorization header required' }]);
  expect(await refused({ authorization: 'vr_wrong' })).toEqual([401, { message: 'Invalid or expired token' }]);
  expect(await refused({ authorization: 'Digest x="y"' })).toEqual([401, { message: 'Invalid or expired token' }]);
  expect(await refused({ authorization: service.key, 'x-api-key': 'vr_other' })).toEqual([
    400,
    { message: 'Authorization and X-API-Key differ: send only one of them' },
  ]);
  const reader = await keyOf(service.ada, ['executions:read']);
  expect(await refused({ authorization: reader })).toEqual([
    403,
    { message: 'The API key lacks the scope executions:write' },
  ]);
});

test('malformed bodies, wrong types and too much content have Piston’s shape', async () => {
  const text = (body: string, type = 'application/json') =>
    service.send('POST', '/execute', body, { authorization: service.key, 'content-type': type });
  expect(await text('{')).toMatchObject({ status: 400, body: { message: 'Malformed JSON' } });
  expect(await text('x=1', 'application/x-www-form-urlencoded')).toMatchObject({
    status: 415,
    body: { message: 'requests must be of type application/json' },
  });
  const head = [
    `POST /piston/api/v2/execute HTTP/1.1`,
    ...['Host: x', `Authorization: ${service.key}`, 'Content-Type: application/json', 'Content-Length: 25165825'],
  ];
  const large = await answerToBytes(Number(new URL(service.url).port), `${head.join('\r\n')}\r\n\r\n`);
  expect(problemIn(large)).toMatchObject({ status: 413, body: { message: 'Request body is too large' } });
  expect(await python('x'.repeat(65_536))).toMatchObject({
    status: 400,
    body: { message: expect.stringMatching(/^files\[0\]\.content /) },
  });
  const unknown = await service.send('GET', '/nothing');
  expect([unknown.status, unknown.body]).toEqual([404, { message: 'Route not found' }]);
  const method = await service.send('PUT', '/execute');
  expect([method.status, method.body]).toEqual([405, { message: 'Method not allowed' }]);
});
