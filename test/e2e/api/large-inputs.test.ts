import { createHash, randomBytes } from 'node:crypto';

import { Api, aTask, type Person } from './support/api.js';

const MIB = 1024 ** 2;

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start({ WORKER_POOL_SIZE: '2' });
  ada = await api.register();
});
afterAll(() => api.close());

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
const inFile = (content: Buffer) => [{ path: 'data.bin', content: content.toString('base64'), encoding: 'base64' }];
const BASH = { ...aTask, script_type: 'bash' as const };

test('a file of 16 MiB goes through a container and comes back', async () => {
  const content = randomBytes(16 * MIB);
  const input = { files: inFile(content), outputs: ['copy.bin'] };
  const once = { ...BASH, script_content: 'mv data.bin copy.bin', input };
  const ran = await ada.ok('POST', '/executions?wait=60', once);
  expect(ran).toMatchObject({
    status: 'completed',
    files: [{ path: 'copy.bin', bytes: content.length, sha256: sha256(content) }],
  });
  const response = await fetch(`${api.service.url}/api/v1/executions/${ran.id}/files/copy.bin`, {
    headers: { authorization: `Bearer ${ada.token}` },
  });
  expect(sha256(Buffer.from(await response.arrayBuffer()))).toBe(sha256(content));
});

test('a run again has the same input', async () => {
  const content = randomBytes(16 * MIB);
  const once = { ...BASH, script_content: 'sha256sum', input: { stdin_base64: content.toString('base64') } };
  const ran = await ada.ok('POST', '/executions?wait=60', once);
  expect(ran).toMatchObject({ status: 'completed', stdout: `${sha256(content)}  -\n` });
  const again = await ada.ok('POST', `/executions/${ran.id}/rerun?wait=60`, {});
  expect(again).toMatchObject({ status: 'completed', stdout: ran.stdout });
});

test('the same request with the same key is carried out once', async () => {
  const once = { ...BASH, script_content: 'wc -c', input: { stdin: 'x'.repeat(16 * MIB) } };
  const send = (body: object) => ada.send('POST', '/executions?wait=60', body, { 'idempotency-key': 'large' });
  const ran = await send(once);
  expect([ran.status, ran.body.stdout.trim()]).toEqual([201, String(16 * MIB)]);
  const again = await send(once);
  expect([again.body.id, again.headers.get('idempotent-replayed')]).toEqual([ran.body.id, 'true']);
  const other = await send({ ...once, input: { stdin: 'y'.repeat(16 * MIB) } });
  expect(other.status).toBe(422);
});

test('tests of 16 MiB are stored, run and shown', async () => {
  const half = 'x'.repeat(8 * MIB);
  const tests = [{ stdin: half, expected_stdout: half }];
  const task = await ada.createTask({ ...BASH, script_content: 'exec cat', tests });
  expect(task.tests).toMatchObject(tests);
  // The kept output is cut at a MiB.
  const ran = await ada.client.follow((await ada.start(task.id)).id);
  expect(ran).toMatchObject({ status: 'completed', verdict: 'output_limit' });
  const over = { ...BASH, tests: [{ ...tests[0], files: [{ path: 'a', content: 'x' }] }] };
  expect((await ada.send('POST', '/tasks', over)).status).toBe(400);
});

test('a limit of memory that is too small for the input is its reason to fail', async () => {
  const once = {
    ...BASH,
    script_content: 'cat data.bin >copy.bin',
    input: { files: inFile(Buffer.alloc(16 * MIB)) },
    limits: { memory_mb: 16 },
  };
  const ran = await ada.ok('POST', '/executions?wait=60', once);
  expect(ran).toMatchObject({ status: 'failed', termination_reason: 'out_of_memory' });
});

test('many users with large inputs wait for one another, and none fails', async () => {
  const people = await Promise.all(Array.from({ length: 6 }, () => api.register()));
  const input = { files: inFile(Buffer.alloc(8 * MIB)) };
  const started = await Promise.all(
    people.flatMap((person) =>
      [1, 2].map(async () => {
        const { id } = await person.createTask();
        return person.send('POST', `/tasks/${id}/executions`, { input, executor: 'external' });
      }),
    ),
  );
  expect(started.map(({ status }) => status)).toEqual(started.map(() => 201));
});
