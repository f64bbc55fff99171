import { program, VoidRunner } from '@voidrunner/client';

import { toBase64 } from '../../../packages/client/src/base64.js';
import { complete, empty, json, open, problem, reset, ScriptedServer } from '../../support/scripted-server.js';

const ONCE = 'POST /api/v1/executions';
const EVENTS = 'GET /api/v1/executions/e/events';
const EXECUTION = 'GET /api/v1/executions/e';
const SSE = 'text/event-stream';
const BYTES = 'application/octet-stream';
const RUNNING = { id: 'e', status: 'running', attempt: 1, started_at: 'T1', test_count: 0 };
const ENDED = { ...RUNNING, status: 'completed', return_code: 0, stdout: '42\n', stderr: 'warning\n', verdict: null };

let server: ScriptedServer;
beforeAll(async () => {
  server = await ScriptedServer.start();
});
beforeEach(() => server.forget());
afterAll(() => server.close());

const client = () => new VoidRunner({ baseUrl: server.url, apiKey: 'vr_key' });

test('run takes one request if the program ends in time', async () => {
  server.on(ONCE, json(201, ENDED));
  const result = await client().run('python', 'print(42)', {
    ...{
      name: 'answer',
      stdin: 'in',
      args: ['a'],
      env: { A: 'b' },
      files: { 'a.txt': 'text', 'b.bin': Uint8Array.of(0, 255) },
    },
    ...{ timeoutSeconds: 5, limits: { memory_mb: 64 }, outputs: ['*.png'], idempotencyKey: 'mine' },
  });
  expect(result).toEqual(ENDED);
  expect([result.ok, result.text, result.errorText, JSON.stringify(result)]).toEqual([
    ...[true, '42\n', 'warning\n', JSON.stringify(ENDED)],
  ]);
  const [request, ...others] = server.received;
  expect(others).toEqual([]);
  expect([request!.url, request!.headers['idempotency-key']]).toEqual(['/api/v1/executions?wait=50', 'mine']);
  expect(JSON.parse(request!.body)).toEqual({
    ...{ name: 'answer', script_type: 'python', script_content: 'print(42)', timeout_seconds: 5 },
    limits: { memory_mb: 64 },
    input: {
      ...{ stdin: 'in', args: ['a'], env: { A: 'b' }, outputs: ['*.png'] },
      files: [
        { path: 'a.txt', content: 'text' },
        { path: 'b.bin', content: 'AP8=', encoding: 'base64' },
      ],
    },
  });
});

test('run goes on waiting: through broken connections, and until the end', async () => {
  server.on(ONCE, reset, json(201, RUNNING)).on(EXECUTION, json(200, RUNNING), json(200, RUNNING), json(200, ENDED));
  server.on(
    EVENTS,
    complete(SSE, 'id: 1\nevent: a\ndata: {}\n\n'),
    reset,
    complete(SSE, 'id: 2\nevent: b\ndata: {}\n\n'),
  );
  expect((await client().run('python', 'print(42)')).status).toBe('completed');
  expect(server.of(ONCE)).toHaveLength(2);
  expect(server.of(EVENTS).map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '1', '1']);
});

test.each([
  ['may not read events', problem(403, 'missing_scope')],
  ['has too many streams', problem(429, 'rate_limited', { 'retry-after': '3600' })],
])('a caller that %s waits, too', async (_, reply) => {
  server.on(EVENTS, reply).on(EXECUTION, json(200, RUNNING), json(200, RUNNING), json(200, ENDED));
  expect((await client().wait('e')).ok).toBe(true);
  expect([server.of(EVENTS).length, server.of(EXECUTION).length]).toEqual([1, 3]);
});

test('output comes live to the callbacks, which are waited for', async () => {
  server.on(ONCE, json(201, { ...RUNNING, status: 'pending', started_at: null })).on(EXECUTION, json(200, ENDED));
  server.on('GET /api/v1/executions/e/output/stdout', complete(BYTES, '4', '2\n'));
  const seen: string[] = [];
  const result = await client().run('python', 'print(42)', {
    onStdout: async (text, data) => {
      await Promise.resolve();
      seen.push(`${text}${data.length}`);
    },
  });
  expect(seen.join('')).toMatch(/^(41.*2\n2|42\n3)$/s);
  expect(result).toEqual(ENDED);
  expect(server.of(ONCE)[0]!.url).toBe('/api/v1/executions');
});

test('an error of a callback ends the call', async () => {
  server.on(ONCE, json(201, RUNNING)).on(EXECUTION, json(200, RUNNING));
  server.on('GET /api/v1/executions/e/output/stderr', open(BYTES, 'x'));
  const onStderr = () => {
    throw new Error('mine');
  };
  await expect(client().run('python', '', { onStderr })).rejects.toThrow('mine');
});

test('an abort ends the wait with its reason', async () => {
  const abort = new AbortController();
  const reason = new Error('enough');
  server.on(EXECUTION, json(200, RUNNING)).on(EVENTS, (response, received) => {
    setTimeout(() => abort.abort(reason), 20);
    return open(SSE, ':\n\n')(response, received);
  });
  await expect(client().wait('e', { signal: abort.signal })).rejects.toBe(reason);
});

test.each<[object, boolean, string]>([
  [{ status: 'completed', return_code: 0 }, true, 'warning\n'],
  [{ status: 'failed', return_code: 1 }, false, 'warning\n'],
  [{ status: 'timeout' }, false, 'warning\n'],
  [{ test_count: 2, verdict: 'accepted' }, true, 'warning\n'],
  [{ test_count: 2, verdict: 'wrong_answer' }, false, 'warning\n'],
  [{ status: 'failed', termination_reason: 'compile', compile: { stderr: 'no main' } }, false, 'no main'],
  [{ stdout: null, stderr: null }, true, ''],
])('the result %j', async (fields, ok, errorText) => {
  server.on(EXECUTION, json(200, { ...ENDED, ...fields }));
  const result = await client().wait('e');
  expect([result.ok, result.errorText]).toEqual([ok, errorText]);
});

test('a result reads its outputs and files', async () => {
  server.on(ONCE, json(201, ENDED)).on('GET /api/v1/executions/e/output/stdout', complete(BYTES, Buffer.of(0, 255)));
  server.on('GET /api/v1/executions/e/output/stderr', (response) =>
    response.writeHead(200, { 'content-length': '0' }).end(),
  );
  server.on('GET /api/v1/executions/e/files/out%2Fa%20b.bin', complete('text/plain', 'content'));
  const result = await client().run('python', '');
  expect(await result.bytes('stdout')).toEqual(Uint8Array.of(0, 255));
  expect(await result.bytes('stderr')).toEqual(new Uint8Array());
  expect(Buffer.from(await result.file('out/a b.bin')).toString()).toBe('content');
  const stream = await client().files.stream('e', 'out/a b.bin');
  expect(await new Response(stream).text()).toBe('content');
  await expect(result.file('none')).rejects.toMatchObject({ status: 404 });
});

test('a suite tells its tests as they are finished', async () => {
  server.on(ONCE, json(201, RUNNING)).on(EXECUTION, json(200, { ...ENDED, test_count: 1, verdict: 'accepted' }));
  server.on(EVENTS, complete(SSE, 'id: 1\nevent: a\ndata: {}\n\nevent: test\ndata: {"index":0}\n\n'), empty);
  const indexes: number[] = [];
  const tests = [{ stdin: '1', expected_stdout: '1' }];
  const result = await client().suites.run('go', 'package main', tests, { onTest: ({ index }) => indexes.push(index) });
  expect([result.ok, indexes, JSON.parse(server.of(ONCE)[0]!.body).tests]).toEqual([true, [0], tests]);
});

test('standard input is sent as bytes, once', async () => {
  const accepted = { attempt: 1, stdin_bytes: 3, closed: false };
  server.on('POST /api/v1/executions/e/stdin', reset, json(202, accepted));
  const { executions } = client();
  expect(await executions.sendStdin('e', 'a\n')).toEqual(accepted);
  await executions.sendStdin('e', new TextEncoder().encode('€'));
  await executions.closeStdin('e');
  const requests = server.received.map(({ url, headers, body }) => [url.split('?')[1], headers['content-type'], body]);
  expect(requests).toEqual([
    [undefined, BYTES, 'a\n'],
    [undefined, BYTES, 'a\n'],
    [undefined, BYTES, '€'],
    ['eof=true', BYTES, ''],
  ]);
  const keys = server.received.map(({ headers }) => headers['idempotency-key']);
  expect([keys[0] === keys[1], new Set(keys).size]).toEqual([true, 3]);
});

test('a program without options is the smallest body', () => {
  expect(program('bash', 'true')).toEqual({ name: 'bash', script_type: 'bash', script_content: 'true' });
  expect(program('bash', 'true', { files: [{ path: 'a', content: 'AA==', encoding: 'base64' }] }).input).toEqual({
    files: [{ path: 'a', content: 'AA==', encoding: 'base64' }],
  });
  expect(program('bash', 'true', { stdin: new ArrayBuffer(1) }).input).toEqual({ stdin_base64: 'AA==' });
});

test.each([0, 1, 2, 3, 12_287, 12_288, 12_289, 100_000])('base64 of %i bytes', (length) => {
  const bytes = Uint8Array.from({ length }, (_, index) => (index * 31) % 256);
  expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
});
