import { randomUUID } from 'node:crypto';

import {
  AuthenticationError,
  ConflictError,
  NotFoundError,
  PermissionError,
  program,
  type StreamItem,
  ValidationError,
  VoidRunner,
} from '@voidrunner/client';

import { Api } from '../api/support/api.js';

/** The client as a program uses it: a person logs in once and makes a key, the program has the key. */
let api: Api;
let ada: VoidRunner;
let vr: VoidRunner;

const ACCOUNT = { email: `${randomUUID()}@example.com`, password: 'correct horse battery' };

beforeAll(async () => {
  api = await Api.start({});
  ada = new VoidRunner({ baseUrl: api.service.url });
  await ada.auth.register({ ...ACCOUNT, name: 'Ada' });
  vr = await clientWithKey(['tasks:read', 'tasks:write', 'executions:read', 'executions:write', 'events:read']);
});
afterAll(() => api.close());

type Scopes = Parameters<VoidRunner['keys']['create']>[0]['scopes'];
async function clientWithKey(scopes: Scopes): Promise<VoidRunner> {
  const { key } = await ada.keys.create({ name: 'a program', scopes });
  return new VoidRunner({ baseUrl: api.service.url, apiKey: key });
}

test('a program runs, with input and files, and its result is the execution', async () => {
  const code = `import sys
print(open('in.bin', 'rb').read().hex(), sys.argv[1], sys.stdin.read())
print('to stderr', file=sys.stderr)
open('out.bin', 'wb').write(bytes([0, 255]))`;
  const options = {
    stdin: 'typed',
    args: ['argument'],
    files: { 'in.bin': Uint8Array.of(1, 254) },
    outputs: ['*.bin'],
  };
  const result = await vr.run('python', code, { ...options, timeoutSeconds: 20, limits: { memory_mb: 128 } });
  expect([result.status, result.ok, result.text, result.errorText]).toEqual([
    ...['completed', true, '01fe argument typed\n', 'to stderr\n'],
  ]);
  expect(await result.file('out.bin')).toEqual(Uint8Array.of(0, 255));
  expect((await vr.files.list(result.id)).map(({ path }) => path)).toContain('out.bin');
  expect(Buffer.from(await result.bytes('stdout')).toString()).toBe(result.text);
  expect(await vr.executions.get(result.id)).toEqual({ ...result });
});

test('a program that fails is a result, and one that does not compile says why', async () => {
  const failed = await vr.run('bash', 'echo no >&2; exit 3');
  expect([failed.ok, failed.return_code, failed.errorText]).toEqual([false, 3, 'no\n']);
  const uncompiled = await vr.run('go', 'package main\nfunc main() { two }');
  expect([uncompiled.ok, uncompiled.termination_reason]).toEqual([false, 'compile']);
  expect(uncompiled.errorText).toContain('two');
});

test('output comes while the program runs, and what it reads can be sent meanwhile', async () => {
  const code = 'while True:\n  line = input()\n  print("got", line)\n  if line == "end": break';
  const { id } = await vr.start('python', code, { interactive: true, stdin: 'first\n' });
  const seen: StreamItem[] = [];
  let output = '';
  for await (const item of vr.stream(id)) {
    seen.push(item);
    if (item.type !== 'stdout') continue;
    output += item.text;
    if (output === 'got first\n') await vr.executions.sendStdin(id, 'second\n');
    if (output === 'got first\ngot second\n') await vr.executions.closeStdin(id, 'end\n');
  }
  expect(output).toBe('got first\ngot second\ngot end\n');
  const types = seen.flatMap((item) => (item.type === 'event' ? [item.event.type] : []));
  expect(types).toEqual(['ExecutionRequested', 'ExecutionAttemptStarted', 'ExecutionSucceeded']);
  expect((await vr.wait(id)).text).toBe(output);
  const history = [];
  for await (const { type } of vr.executions.events(id)) history.push(type);
  expect(history).toEqual(types);
});

test('an execution that has ended is streamed, too, with an output and a file without bytes', async () => {
  const { id } = await vr.run('bash', 'touch empty; echo one >&2', { outputs: ['empty'] });
  const items: string[] = [];
  for await (const item of vr.stream(id, { types: ['stdout', 'stderr'] })) {
    if ('text' in item) items.push(`${item.type}: ${item.text}`);
  }
  expect(items).toEqual(['stderr: one\n']);
  expect(await new Response(await vr.files.stream(id, 'empty')).text()).toBe('');
});

/** Breaks each connection of an output or of events after its first bytes, three times per URL. */
function breakingFetch() {
  const left = new Map<string, number>();
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await globalThis.fetch(input, init);
    const { url } = input as Request;
    const times = left.get(url) ?? 3;
    if (response.body === null || times === 0 || !/follow=true|events$/.test(url)) return response;
    left.set(url, times - 1);
    let parts = 0;
    const cut = new TransformStream<Uint8Array, Uint8Array>({
      transform(part, controller) {
        if ((parts += 1) > 1) controller.error(new Error('broken'));
        else controller.enqueue(part);
      },
    });
    return new Response(response.body.pipeThrough(cut), response);
  };
  return { fetch, cuts: () => [...left.values()].reduce((sum, times) => sum + 3 - times, 0) };
}

test('each byte and each event comes once, although the connections break', async () => {
  const { fetch, cuts } = breakingFetch();
  const { key } = await ada.keys.create({ name: 'broken', scopes: ['executions:read', 'events:read'] });
  const broken = new VoidRunner({ baseUrl: api.service.url, apiKey: key, fetch });
  const { id } = await vr.start('bash', 'for i in {1..40}; do echo $i; sleep 0.02; done');
  let output = '';
  const versions: number[] = [];
  for await (const item of broken.stream(id)) {
    if (item.type === 'stdout') output += item.text;
    if (item.type === 'event') versions.push(item.event.version);
  }
  expect(output).toBe(Array.from({ length: 40 }, (_, index) => `${index + 1}\n`).join(''));
  expect(versions).toEqual([1, 2, 3]);
  expect(cuts()).toBeGreaterThan(1);
});

test('callbacks get all output, from a start to the end', async () => {
  let [out, err] = ['', ''];
  const result = await vr.run('bash', 'for i in 1 2 3; do echo $i; echo e$i >&2; done', {
    onStdout: (text) => (out += text),
    onStderr: (text) => (err += text),
  });
  expect([out, err]).toEqual([result.text, result.errorText]);
});

test('a key that may not read events waits, too', async () => {
  const limited = await clientWithKey(['executions:read', 'executions:write']);
  const { id } = await limited.start('bash', 'sleep 0.5; echo done');
  expect((await limited.wait(id)).text).toBe('done\n');
  await expect(limited.stream(id).next()).rejects.toThrow(PermissionError);
});

test('tasks: created, changed, run, listed, deleted', async () => {
  const task = await vr.tasks.create({ name: 'a task', script_type: 'bash', script_content: 'cat' });
  expect((await vr.tasks.update(task.id, { priority: 7 })).priority).toBe(7);
  expect((await vr.tasks.get(task.id, { asOf: '1' })).priority).toBe(5);
  const runs = [await vr.tasks.run(task.id, { stdin: 'one' }), await vr.tasks.run(task.id, { stdin: 'two' })];
  expect(runs.map(({ text }) => text)).toEqual(['one', 'two']);
  await api.listsCaughtUp();
  const listed = [];
  for await (const { id } of vr.tasks.executions(task.id, { limit: 1 })) listed.push(id);
  expect(listed).toEqual(runs.map(({ id }) => id).toReversed());
  const again = await vr.executions.rerun(runs[0]!.id);
  expect((await vr.wait(again.id)).text).toBe('one');
  await vr.tasks.delete(task.id);
  await expect(vr.tasks.get(task.id)).rejects.toThrow(NotFoundError);
});

test('a suite is judged, test by test', async () => {
  const tests = [
    { name: 'right', stdin: '1', expected_stdout: '1' },
    { name: 'wrong', stdin: '2', expected_stdout: '3' },
  ];
  const verdicts: string[] = [];
  const result = await vr.suites.run('bash', 'cat', tests, { onTest: ({ verdict }) => verdicts.push(verdict) });
  expect(verdicts).toEqual(['accepted', 'wrong_answer']);
  expect([result.ok, result.verdict, result.score, result.points]).toEqual([false, 'wrong_answer', 1, 2]);
});

test('a batch is started at once and waited for', async () => {
  const { id, executions } = await vr.batches.create(['1', '2'].map((text) => program('bash', `echo ${text}`)));
  const batch = await vr.batches.wait(id);
  expect(batch.counts).toMatchObject({ completed: 2, waiting: 0, running: 0 });
  expect((await vr.executions.get(executions[1]!.id)).stdout).toBe('2\n');
  await expect(vr.batches.cancel(id)).rejects.toThrow(ConflictError);
});

test('an abort ends the call, and not the execution', async () => {
  const { id } = await vr.start('bash', 'sleep 100');
  const reason = new Error('enough');
  const abort = new AbortController();
  const waiting = vr.wait(id, { signal: abort.signal });
  abort.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await vr.executions.cancel(id);
  expect((await vr.wait(id)).status).toBe('cancelled');
});

test('refusals are typed errors', async () => {
  const invalid = await vr.run('python', '', { name: '' }).catch((error: unknown) => error);
  expect(invalid).toBeInstanceOf(ValidationError);
  expect((invalid as ValidationError).errors.map(({ field }) => field)).toContain('name');
  await expect(vr.executions.get(randomUUID())).rejects.toMatchObject({ status: 404, code: 'execution_not_found' });
  await expect(vr.keys.list()).rejects.toMatchObject({ status: 403, code: 'key_not_allowed' });
  const wrong = new VoidRunner({ baseUrl: api.service.url, apiKey: `vr_${'x'.repeat(49)}` });
  const error = await wrong.run('bash', 'true').catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(AuthenticationError);
  expect((error as AuthenticationError).requestId).toEqual(expect.any(String));
});

test('runtimes need no credential', async () => {
  const runtimes = await new VoidRunner({ baseUrl: api.service.url }).runtimes.list();
  expect(runtimes.map(({ name }) => name)).toContain('python');
});

test('a session is refreshed once for all requests, and ends with the logout', async () => {
  const { access_token, refresh_token } = await new VoidRunner({ baseUrl: api.service.url }).auth.login(ACCOUNT);
  const refreshed: string[] = [];
  const session = {
    accessToken: `${access_token.slice(0, -4)}xxxx`,
    refreshToken: refresh_token,
    onRefresh: ({ refreshToken }: { refreshToken: string }) => void refreshed.push(refreshToken),
  };
  const person = new VoidRunner({ baseUrl: api.service.url, session });
  const users = await Promise.all(Array.from({ length: 10 }, () => person.auth.me()));
  expect(new Set(users.map(({ email }) => email))).toEqual(new Set([ACCOUNT.email]));
  expect(refreshed).toEqual([person.auth.tokens!.refreshToken]);
  await person.auth.logout();
  const late = new VoidRunner({
    baseUrl: api.service.url,
    session: { accessToken: 'expired', refreshToken: refreshed[0]! },
  });
  await expect(late.auth.me()).rejects.toThrow(AuthenticationError);
});
