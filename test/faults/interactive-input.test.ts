import { randomUUID } from 'node:crypto';

import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { isRunning, QUICK, readyWhere } from '../support/faults.js';
import { Follower } from '../support/follower.js';
import { PrivateNats } from '../support/nats.js';
import { startTestService, type TestService } from '../support/service.js';

let nats: PrivateNats;
let service: TestService;
let client: ApiClient;

beforeAll(async () => {
  nats = await PrivateNats.start();
  service = await startTestService({ ...QUICK, NATS_URL: nats.url, NATS_USER: '', NATS_PASSWORD: '' });
  client = await ApiClient.register(() => service.url);
});

afterAll(async () => {
  await service.close();
  await nats.remove();
});

async function start(script_content: string): Promise<string> {
  const task = await client.createTask({ script_type: 'bash', script_content });
  const { id } = await client.start(task.id, { input: { interactive: true } });
  await client.follow(id, isRunning);
  return id;
}
const send = (id: string, text: string, key: string = randomUUID(), query = '') =>
  client.request('POST', `/executions/${id}/stdin${query}`, text, {
    'content-type': 'text/plain',
    'idempotency-key': key,
  });

test('NATS unavailable: a 503, and the conversation goes on when it is back', async () => {
  const id = await start('cat');
  const follower = await Follower.of(service.url, client.accessToken, id);
  expect(await send(id, 'before\n')).toMatchObject({ status: 202 });
  await follower.until('before\n');

  await nats.stop();
  await readyWhere(service, { status: 503, notReady: ['nats'] });
  const answer = await send(id, 'away\n');
  expect(answer).toMatchObject({ status: 503, body: { details: { dependency: 'nats' } } });
  expect(answer.headers.get('retry-after')).toBe('1');

  await nats.start();
  await readyWhere(service, { status: 200, notReady: [] });
  expect(await send(id, 'after\n', randomUUID(), '?eof=true')).toMatchObject({
    status: 202,
    body: { stdin_bytes: 13 },
  });
  expect(await follower.end()).toBe('before\nafter\n');
});

test('NATS suspended: a 503 in time, and a repeat with the same key adds the bytes once', async () => {
  const id = await start('cat');
  expect(await send(id, 'first\n')).toMatchObject({ status: 202 });
  const key = randomUUID();
  nats.freeze();
  try {
    const startedAt = performance.now();
    expect(await send(id, 'once\n', key)).toMatchObject({ status: 503 });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  } finally {
    nats.thaw();
  }
  await eventually(async () => expect((await send(id, 'once\n', key)).status).toBe(202));
  await eventually(async () => expect((await send(id, '', 'the-end', '?eof=true')).status).toBe(202));
  expect(await client.follow(id)).toMatchObject({ status: 'completed', stdout: 'first\nonce\n' });
});
