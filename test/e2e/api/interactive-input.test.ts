import { randomUUID } from 'node:crypto';

import { INPUT_WAITING_BYTES_MAX } from '../../../src/sandbox/interactive-input.js';
import type { Answer, StartExecution } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Follower } from '../../support/follower.js';
import { Api, type Person } from './support/api.js';
import { startAttempt } from './support/attempts.js';

const PIECE_BYTES = 64 * 1024;
const GREETER = 'while True:\n  name = input()\n  print("hello", name, flush=True)';
const INTERACTIVE = { interactive: true };

let api: Api;
let ada: Person;

// The API and the worker in processes that share no memory.
beforeAll(async () => {
  api = await Api.start({ VOIDRUNNER_ROLES: 'api,relay,projector,orchestrator,sealer' });
  await api.service.start({ VOIDRUNNER_ROLES: 'worker' });
  ada = await api.register();
});
afterAll(() => api.close());

const TEXT = { 'content-type': 'text/plain' };
const send = (id: string, text: string, query = '', headers: Record<string, string> = {}, who = ada) =>
  who.send('POST', `/executions/${id}/stdin${query}`, text, { ...TEXT, ...headers });
const problemOf = ({ status, body }: Answer<any>): [number, string] => [status, body.type?.split(':').at(-1)];

async function start(script_content: string, more: object = {}, input: StartExecution['input'] = INTERACTIVE) {
  const body = { name: 'talk', script_type: 'bash', script_content, ...more, input };
  return (await ada.ok('POST', '/executions', body)).id as string;
}

async function running(...of: Parameters<typeof start>): Promise<string> {
  const id = await start(...of);
  await ada.client.follow(id, ({ status }) => status === 'running');
  return id;
}

const follow = (id: string) => Follower.of(api.service.url, ada.token, id);

test('a conversation, followed live', async () => {
  const id = await running(GREETER, { script_type: 'python' }, { ...INTERACTIVE, stdin: 'first\n' });
  const follower = await follow(id);
  await follower.until('hello first\n');
  expect(await send(id, 'Ada\n')).toMatchObject({ status: 202, body: { attempt: 1, stdin_bytes: 4, closed: false } });
  await follower.until('hello first\nhello Ada\n');
  const bytes = { 'content-type': 'application/octet-stream' };
  expect((await send(id, 'Bo', '', bytes)).body).toMatchObject({ stdin_bytes: 6 });
  expect((await send(id, 'b\n', '', bytes)).body).toMatchObject({ stdin_bytes: 8 });
  await follower.until('hello first\nhello Ada\nhello Bob\n');
  expect((await send(id, '', '?eof=true')).body).toEqual({ attempt: 1, stdin_bytes: 8, closed: true });
  expect(await follower.end()).toBe('hello first\nhello Ada\nhello Bob\n');
  // input() raises EOFError.
  expect(await ada.client.follow(id)).toMatchObject({ status: 'failed', return_code: 1 });
  expect(problemOf(await send(id, 'late\n'))).toEqual([409, 'execution_ended']);
});

test('an execution of a task, with the last bytes and the end in one request', async () => {
  const { id: taskId } = await ada.createTask({ script_type: 'bash', script_content: 'wc -c' });
  const { id } = await ada.start(taskId, { input: INTERACTIVE });
  await ada.client.follow(id, ({ status }) => status === 'running');
  const bytes = Buffer.from([0, 255, 10, 13]);
  const url = `${api.service.url}/api/v1/executions/${id}/stdin?eof=true`;
  const headers = { authorization: `Bearer ${ada.token}` };
  // Without a type: as bytes.
  expect((await fetch(url, { method: 'POST', headers, body: bytes })).status).toBe(202);
  expect(await ada.client.follow(id)).toMatchObject({ status: 'completed', stdout: '4\n' });
});

test('200 pieces in their order, and concurrent ones each whole', async () => {
  const id = await running('cat');
  const lines = Array.from({ length: 200 }, (_, n) => `${n}\n`);
  for (const line of lines) expect((await send(id, line)).status).toBe(202);
  const words = Array.from({ length: 10 }, (_, n) => `${String(n).repeat(1_000)}\n`);
  const answers = await Promise.all(words.map((word) => send(id, word)));
  const totals = answers.map(({ body }) => body.stdin_bytes as number).toSorted((a, b) => a - b);
  expect(totals).toEqual(words.map((_, n) => lines.join('').length + (n + 1) * 1_001));
  await send(id, '', '?eof=true');
  const { stdout } = await ada.client.follow(id);
  expect(stdout!.startsWith(lines.join(''))).toBe(true);
  expect(stdout!.slice(lines.join('').length).split('\n').toSorted()).toEqual(['', ...words.map((w) => w.trim())]);
});

test('a program that does not read: full requests are refused whole, until it reads', async () => {
  const id = await running('sleep 3; wc -c');
  const piece = 'x'.repeat(PIECE_BYTES);
  let accepted = 0;
  let refused: Answer<any> | null = null;
  while (refused === null) {
    const answer = await send(id, piece);
    if (answer.status === 202) accepted += 1;
    else refused = answer;
  }
  expect(problemOf(refused)).toEqual([429, 'stdin_full']);
  expect([refused.headers.get('retry-after'), refused.body.retry_after]).toEqual(['1', 1]);
  // With what fits into the pipe.
  expect(accepted * PIECE_BYTES).toBeGreaterThanOrEqual(INPUT_WAITING_BYTES_MAX);
  expect(accepted * PIECE_BYTES).toBeLessThanOrEqual(INPUT_WAITING_BYTES_MAX + 2 * PIECE_BYTES);
  await eventually(async () => expect((await send(id, piece)).status).toBe(202));
  expect((await send(id, '', '?eof=true')).status).toBe(202);
  expect((await ada.client.follow(id)).stdout).toBe(`${(accepted + 1) * PIECE_BYTES}\n`);
});

test('the time goes on while a program waits for input', async () => {
  const id = await start('read -r line', { timeout_seconds: 1 });
  expect(await ada.client.follow(id)).toMatchObject({ status: 'timeout', termination_reason: 'timeout' });
});

test('a retried attempt begins with the stored input only', async () => {
  const retry = { max_attempts: 2, initial_delay_ms: 0, retry_on: ['exit_code'] };
  const id = await start(
    'read -r a; echo "$a"; read -r b; echo "$b"; exit 1',
    { retry },
    { ...INTERACTIVE, stdin: 'a\n' },
  );
  const follower = await follow(id);
  await follower.until('a\n');
  expect((await send(id, 'first\n')).body).toMatchObject({ attempt: 1, stdin_bytes: 6 });
  await follower.until('a\nfirst\na\n');
  expect((await send(id, 'second\n')).body).toMatchObject({ attempt: 2, stdin_bytes: 7 });
  expect(await follower.end()).toBe('a\nfirst\na\nsecond\n');
});

test('a key makes a repeat safe', async () => {
  const id = await running('cat');
  const key = { 'idempotency-key': randomUUID() };
  const first = await send(id, 'once\n', '', key);
  const [again, other, closing] = [
    await send(id, 'once\n', '', key),
    await send(id, 'other\n', '', key),
    await send(id, 'once\n', '?eof=true', key),
  ];
  expect([again.status, again.body, again.headers.get('idempotent-replayed')]).toEqual([202, first.body, 'true']);
  expect([problemOf(other), problemOf(closing)]).toEqual([
    [422, 'idempotency_key_reused'],
    [422, 'idempotency_key_reused'],
  ]);
  const end = { 'idempotency-key': randomUUID() };
  expect((await send(id, '', '?eof=true', end)).status).toBe(202);
  expect([202, 409]).toContain((await send(id, '', '?eof=true', end)).status);
  expect(await ada.client.follow(id)).toMatchObject({ stdout: 'once\n' });
});

test('a rerun is interactive as well', async () => {
  const id = await running('cat', {}, { ...INTERACTIVE, stdin: 'kept\n' });
  await send(id, 'gone\n', '?eof=true');
  expect(await ada.client.follow(id)).toMatchObject({ stdout: 'kept\ngone\n' });
  const again = await ada.ok('POST', `/executions/${id}/rerun`);
  await ada.client.follow(again.id, ({ status }) => status === 'running');
  await send(again.id, 'new\n', '?eof=true');
  expect(await ada.client.follow(again.id)).toMatchObject({ stdout: 'kept\nnew\n' });
});

test('the log and its history show nothing of it', async () => {
  const id = await running('cat >/dev/null');
  const before = await api.head();
  const secret = `secret-${randomUUID()}`;
  expect((await send(id, secret)).status).toBe(202);
  expect(await api.head()).toBe(before);
  await send(id, '', '?eof=true');
  await ada.client.follow(id);
  expect(JSON.stringify(await ada.ok('GET', `/executions/${id}/events`))).not.toContain(secret);
});

describe('refused', () => {
  test('for executions that are not interactive, running or not', async () => {
    const plain = await running('sleep 600', {}, { args: ['x'] });
    expect(problemOf(await send(plain, 'x'))).toEqual([409, 'execution_not_interactive']);
    await ada.cancel(plain);
    await ada.client.follow(plain);
    expect(problemOf(await send(plain, 'x'))).toEqual([409, 'execution_ended']);
    const { id: external } = await ada.startExternal();
    expect(problemOf(await send(external, 'x'))).toEqual([409, 'execution_not_interactive']);
    await ada.report(external, { status: 'running' });
    expect(problemOf(await send(external, 'x'))).toEqual([409, 'execution_not_interactive']);
    await ada.cancel(external);
  });

  test('while no worker runs it, and while its worker does not answer', async () => {
    // They occupy both slots of the worker.
    const busy = [await running('sleep 600', {}, {}), await running('sleep 600', {}, {})];
    const id = await start('cat');
    expect(problemOf(await send(id, 'x'))).toEqual([409, 'execution_not_running']);
    const attempt = await startAttempt(api, id);
    const answer = await send(id, 'x');
    expect([problemOf(answer), answer.body.details]).toEqual([[503, 'unavailable'], { dependency: 'worker' }]);
    expect(answer.headers.get('retry-after')).toBe('1');
    await attempt.fail(1);
    for (const each of busy) await ada.cancel(each);
  });

  test('after the end of the input, while the program goes on', async () => {
    const id = await running('exec sleep 600');
    expect((await send(id, 'x', '?eof=true')).status).toBe(202);
    expect(problemOf(await send(id, 'x'))).toEqual([409, 'stdin_closed']);
    expect(problemOf(await send(id, '', '?eof=true'))).toEqual([409, 'stdin_closed']);
    await ada.cancel(id);
  });

  test('after a cancel', async () => {
    const id = await running('cat');
    await ada.cancel(id);
    expect((await send(id, 'x')).status).toBe(409);
    await ada.client.follow(id);
    expect(problemOf(await send(id, 'x'))).toEqual([409, 'execution_ended']);
  });

  test('for others, and without a token', async () => {
    const id = await running('cat');
    const bob = await api.register();
    expect(problemOf(await send(id, 'x', '', {}, bob))).toEqual([403, 'access_denied']);
    expect((await api.anonymous('POST', `/executions/${id}/stdin`, 'x', TEXT)).status).toBe(401);
    expect(problemOf(await send(randomUUID(), 'x'))).toEqual([404, 'execution_not_found']);
    expect((await send('nonsense', 'x')).status).toBe(400);
    const admin = await api.registerAdmin();
    expect((await send(id, 'from above', '?eof=true', {}, admin)).status).toBe(202);
    expect(await ada.client.follow(id)).toMatchObject({ stdout: 'from above' });
  });

  test('if it is too large, empty, or of another type', async () => {
    const id = await running('wc -c');
    expect((await send(id, 'x'.repeat(PIECE_BYTES + 1))).status).toBe(413);
    expect(problemOf(await send(id, ''))).toEqual([400, 'no_stdin']);
    for (const query of ['?eof=yes', '?eof=', '?end=true']) expect((await send(id, 'x', query)).status).toBe(400);
    const json = await send(id, '{}', '', { 'content-type': 'application/json' });
    expect([json.status, json.headers.get('accept')]).toEqual([415, 'application/octet-stream, text/plain']);
    expect((await send(id, 'x', '', { 'content-encoding': 'gzip' })).status).toBe(415);
    // Nothing of that reached the program.
    expect((await send(id, 'x'.repeat(PIECE_BYTES), '?eof=true')).body).toMatchObject({ stdin_bytes: PIECE_BYTES });
    expect(await ada.client.follow(id)).toMatchObject({ stdout: `${PIECE_BYTES}\n` });
  });

  test('at the start beside tests, of the request or of the task, and for an external execution', async () => {
    const tests = [{ expected_stdout: 'x' }];
    const aScript = { name: 'judged', script_type: 'bash', script_content: 'cat' } as const;
    const faultsOf = async (path: string, body: object) => {
      const { status, body: problem } = await ada.send('POST', path, body);
      return [status, ...(problem.validation_errors ?? []).map((each: any) => `${each.field}: ${each.tag}`)];
    };
    const refusal = [400, 'input.interactive: exclusive'];
    expect(await faultsOf('/executions', { ...aScript, tests, input: INTERACTIVE })).toEqual(refusal);
    const { id: plain } = await ada.createTask(aScript);
    const { id: judged } = await ada.createTask({ ...aScript, tests });
    const head = await api.head();
    expect(await faultsOf(`/tasks/${plain}/executions`, { tests, input: INTERACTIVE })).toEqual(refusal);
    expect(await faultsOf(`/tasks/${judged}/executions`, { input: INTERACTIVE })).toEqual(refusal);
    const external = { executor: 'external', input: INTERACTIVE };
    expect(await faultsOf(`/tasks/${plain}/executions`, external)).toEqual(refusal);
    expect(await api.head()).toBe(head);
    // Without the tests of its task it may be interactive.
    const { id } = await ada.start(judged, { tests: null, input: INTERACTIVE });
    await ada.client.follow(id, ({ status }) => status === 'running');
    expect((await send(id, 'y', '?eof=true')).status).toBe(202);
    expect(await ada.client.follow(id)).toMatchObject({ status: 'completed', stdout: 'y' });
  });
});
