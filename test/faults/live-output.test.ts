import { connectEngine } from '../../src/sandbox/engine.js';
import { ApiClient, type CreateTask } from '../support/api-client.js';
import { containersOf, isRunning, programsRun, QUICK, readyWhere } from '../support/faults.js';
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

const start = async (script_content: string, more: Partial<CreateTask> = {}) => {
  const { id } = await client.start((await client.createTask({ script_type: 'bash', script_content, ...more })).id);
  await client.follow(id, isRunning);
  await programsRun(service, 1);
  return id;
};
const follow = (id: string) => Follower.of(service.url, client.accessToken, id);
const cancel = (id: string) => client.ok('DELETE', `/executions/${id}`);

test('NATS unavailable: no live output; the stored output completes the response', async () => {
  await nats.stop();
  await readyWhere(service, { status: 503, notReady: ['nats'] });
  const id = await start('echo unheard; exec sleep 600');
  const follower = await follow(id);
  await cancel(id);
  expect(await follower.end()).toBe('unheard\n');
  await nats.start();
  await readyWhere(service, { status: 200, notReady: [] });
});

test('NATS restarted, its memory lost: followers get no byte twice, and late followers get the first byte', async () => {
  const id = await start('echo first; exec sleep 600');
  const early = await follow(id);
  await early.until('first\n');
  await nats.kill();
  await nats.start();

  const late = await follow(id);
  await late.until('first\n');
  await cancel(id);
  expect([await early.end(), await late.end()]).toEqual(['first\n', 'first\n']);
});

test('NATS suspended: the execution and its end do not wait for it', async () => {
  const id = await start('echo first; exec sleep 600');
  const follower = await follow(id);
  await follower.until('first\n');
  nats.freeze();
  try {
    await cancel(id);
    expect(await follower.end()).toBe('first\n');
  } finally {
    nats.thaw();
  }
});

test('the container killed from outside: the printed output is available, live and stored', async () => {
  const once = { max_attempts: 1, initial_delay_ms: 0, backoff_factor: 1, max_delay_ms: 0, retry_on: [] };
  const id = await start('echo first; exec sleep 600', { retry: once });
  const follower = await follow(id);
  await follower.until('first\n');
  const engine = connectEngine(service.config.DOCKER_ENDPOINT);
  // Among them some that are ending and cannot be killed any more.
  await Promise.allSettled((await containersOf(service)).map((name) => engine.getContainer(name).kill()));
  expect(await follower.end()).toBe('first\n');
  expect(await client.follow(id)).toMatchObject({
    status: 'failed',
    termination_reason: 'infrastructure',
    return_code: null,
    stdout: 'first\n',
  });
});

test('the stream deleted during a response: the stored output completes it', async () => {
  const id = await start('echo first; exec sleep 600');
  const follower = await follow(id);
  await follower.until('first\n');
  const { nats: link, config } = service.processes[0]!.infra;
  await (await link.manager()).streams.delete(`${config.NATS_STREAM_PREFIX}_OUTPUT`);
  await cancel(id);
  expect(await follower.end()).toBe('first\n');
});
