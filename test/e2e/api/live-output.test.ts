import { ok } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Follower } from '../../support/follower.js';
import { Api, type Person } from './support/api.js';

/** For each of stdout and stderr: small, so that a program soon exceeds it. */
const KEPT_BYTES = 4_096;
/** A program that prints and then runs until it is killed: output received meanwhile was received live. */
const PRINTS_AND_STAYS = 'echo first; echo "oh no" >&2; exec sleep 600';

let api: Api;
let ada: Person;

// The API and the worker in processes that share no memory.
beforeAll(async () => {
  api = await Api.start({ VOIDRUNNER_ROLES: 'api,relay,projector,orchestrator,sealer', RATE_LIMIT_CONCURRENT: '3' });
  await api.service.start({ VOIDRUNNER_ROLES: 'worker', EXECUTOR_OUTPUT_BYTES_MAX: String(KEPT_BYTES) });
  ada = await api.register();
});
afterAll(() => api.close());

const bash = async (script_content: string, more: object = {}) =>
  (await ada.start((await ada.createTask({ script_type: 'bash', script_content, ...more })).id)).id;
const follow = (id: string, stream = 'stdout') => Follower.of(api.service.url, ada.token, id, stream);
const cancel = (id: string) => ada.cancel(id);
/** The first process's. */
const followers = () => api.service.processes[0]!.infra.concurrent.counts.follow;

test('output can be read while the program runs, by early and late followers', async () => {
  const id = await bash(PRINTS_AND_STAYS);
  const [early, errors] = [await follow(id), await follow(id, 'stderr')];
  expect([early.status, early.headers.get('content-type'), early.headers.get('cache-control')]).toEqual([
    200,
    'application/octet-stream',
    'no-store',
  ]);
  await early.until('first\n');
  await errors.until('oh no\n');
  const late = await follow(id);
  await late.until('first\n');
  expect((await ada.execution(id)).status).toBe('running');

  await cancel(id);
  expect([await early.end(), await late.end(), await errors.end()]).toEqual(['first\n', 'first\n', 'oh no\n']);
  expect(await ada.client.follow(id)).toMatchObject({ status: 'cancelled', stdout: 'first\n', stderr: 'oh no\n' });
});

test('output arrives in chunks, byte for byte', async () => {
  const script = String.raw`printf '\xff\x00'; sleep 0.1; printf 'b'; sleep 0.1; printf '\n'`;
  const follower = await follow(await bash(script));
  expect(await follower.endBytes()).toEqual(Buffer.from([0xff, 0x00, 0x62, 0x0a]));
});

test('output over the cap: the head arrives live, the tail at the end', async () => {
  const id = await bash(`seq 1 5000; exec sleep 600`);
  const follower = await follow(id);
  const head = Array.from({ length: 5_000 }, (_, n) => `${n + 1}\n`)
    .join('')
    .slice(0, KEPT_BYTES / 2);
  await follower.until(head);
  await cancel(id);
  const ended = await ada.client.follow(id);
  expect(ended).toMatchObject({ stdout_truncated: true, stdout_bytes: 23_893 });
  const all = await follower.end();
  expect([all.length, all.slice(-10)]).toEqual([KEPT_BYTES, '4999\n5000\n']);
  // The stored bytes; the text marks the gap between them.
  const gap = (23_893 - KEPT_BYTES).toLocaleString('en-US');
  expect(ended.stdout).toBe(`${head}… ${gap} bytes left out …\n${all.slice(head.length)}`);
  expect(ended.notes).toEqual([
    `the limit of ${KEPT_BYTES.toLocaleString('en-US')} bytes of stdout was reached (${gap} bytes left out)`,
  ]);
  await api.listsCaughtUp();
  const listed = await ok(ada.api.GET('/api/v1/executions', { params: { query: { include: 'output' } } }));
  expect(listed.executions.find((run) => run.id === id)?.stdout).toBe(ended.stdout);
});

test('the stream waits for a pending execution, and continues over retries to the end', async () => {
  const retry = { max_attempts: 2, initial_delay_ms: 0, retry_on: ['exit_code'] };
  const follower = await follow(await bash('echo try; exit 1', { retry }));
  expect(await follower.end()).toBe('try\ntry\n');
});

test('a follower that connects during the second attempt gets that attempt', async () => {
  const retry = { max_attempts: 2, initial_delay_ms: 0, retry_on: ['timeout'] };
  const id = await bash('echo "here I am"; exec sleep 600', { retry, timeout_seconds: 3 });
  await ada.client.follow(id, ({ attempt }) => attempt === 2);
  const follower = await follow(id);
  await follower.until('here I am\n');
  await cancel(id);
  expect(await follower.end()).toBe('here I am\n');
});

test('the output before a timeout completes the response', async () => {
  const follower = await follow(await bash('echo before; exec sleep 600', { timeout_seconds: 1 }));
  expect(await follower.end()).toBe('before\n');
});

test('a cancel before the start ends the response, which is empty', async () => {
  const { id } = await ada.startExternal();
  const follower = await follow(id);
  await cancel(id);
  expect(await follower.end()).toBe('');
});

test('for an external execution the response is the reported output', async () => {
  const { id } = await ada.startExternal();
  const follower = await follow(id);
  await ada.report(id, { status: 'running' });
  await ada.report(id, { status: 'completed', return_code: 0, stdout: 'done elsewhere' });
  expect(await follower.end()).toBe('done elsewhere');
});

test('for an ended execution the response is the stored output, with or without following', async () => {
  const id = await bash('echo done');
  await ada.client.follow(id);
  expect(await (await follow(id)).end()).toBe('done\n');
});

test('a client that disconnects leaves nothing behind', async () => {
  const { id } = await ada.startExternal();
  const follower = await follow(id);
  expect(followers()).toBe(1);
  follower.leave();
  await eventually(() => expect(followers()).toBe(0));
  await cancel(id);
});

test('the number of followers per user is limited', async () => {
  const { id } = await ada.startExternal();
  const open = [await follow(id), await follow(id), await follow(id)];
  const refused = await ada.send('GET', `/executions/${id}/output/stdout?follow=true`);
  expect(refused).toMatchObject({
    status: 429,
    body: { error: 'Rate limit exceeded', retry_after: 1, details: { limit: 'concurrent_requests', max: 3 } },
  });
  expect(refused.headers.get('retry-after')).toBe('1');
  expect((await ada.send('GET', `/executions/${id}/output/stdout`)).status).toBe(200);

  open[0]!.leave();
  await eventually(async () => expect((open[0] = await follow(id)).status).toBe(200));
  await cancel(id);
  for (const follower of open) expect(await follower.end()).toBe('');
});

test('a process that stops breaks its responses off at once', async () => {
  const { id } = await ada.startExternal();
  const another = await api.service.start({ VOIDRUNNER_ROLES: 'api', SERVER_SHUTDOWN_TIMEOUT: '1h' });
  const follower = await Follower.of(another.url!, ada.token, id);
  const end = follower.end();
  const [, broken] = await Promise.allSettled([api.service.stop(another), end]);
  expect(broken).toMatchObject({ status: 'rejected' });
  await cancel(id);
});

test('HEAD does not wait, and other users are refused', async () => {
  const { id } = await ada.startExternal();
  const path = `/executions/${id}/output/stdout?follow=true`;
  const authorization = `Bearer ${ada.token}`;
  const head = await fetch(`${api.service.url}/api/v1${path}`, { method: 'HEAD', headers: { authorization } });
  expect([head.status, head.headers.get('cache-control')]).toEqual([200, 'no-store']);

  const eve = await api.register();
  expect((await eve.send('GET', path)).status).toBe(403);
  expect((await api.anonymous('GET', path)).status).toBe(401);
  expect((await ada.send('GET', `/executions/${crypto.randomUUID()}/output/stdout?follow=true`)).status).toBe(404);
  expect((await ada.send('GET', `/executions/${id}/output/stdout?follow=yes`)).status).toBe(400);
  expect((await ada.send('GET', `/executions/${id}/output/stdout?tail=1`)).status).toBe(400);
  await cancel(id);
});
