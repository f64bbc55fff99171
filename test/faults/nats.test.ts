import { ApiClient } from '../support/api-client.js';
import { noticesOf } from '../support/dead-letter-notices.js';
import { EventReader } from '../support/event-reader.js';
import { eventually } from '../support/eventually.js';
import {
  expectNoContainers,
  expectHealed,
  expectUndisturbed,
  isRunning,
  programsRun,
  QUICK,
  readyWhere,
  startRuns,
} from '../support/faults.js';
import { PrivateNats } from '../support/nats.js';
import { startTestService, type TestService } from '../support/service.js';

let nats: PrivateNats;
let service: TestService;
let client: ApiClient;

beforeAll(async () => {
  nats = await PrivateNats.start();
  service = await startTestService({
    ...QUICK,
    SERVER_OWN_WRITES_TIMEOUT: '15s',
    NATS_URL: nats.url,
    NATS_USER: '',
    NATS_PASSWORD: '',
  });
  client = await ApiClient.register(() => service.url);
});

afterAll(async () => {
  await service.close();
  await nats.remove();
});

const stream = () => service.processes[0]!.infra.eventsStream;
const manager = () => service.processes[0]!.infra.nats.manager();

/** Some running, the others pending. */
async function liveRuns() {
  const runs = await startRuns(client, 4, { seconds: 3 });
  await programsRun(service, 1);
  return runs;
}

/** JetStream has caught up with the log. */
const delivered = () =>
  eventually(async () => {
    const head = await service.processes[0]!.infra.store.head();
    expect((await stream().tail()).message?.position).toBe(head.position);
  });

test('its stream is deleted during executions', async () => {
  const runs = await liveRuns();
  await delivered();
  await (await manager()).streams.delete(stream().name);

  await expectUndisturbed(client, runs);
  await delivered();
  await expectHealed(service);
});

test('its stream is purged during executions', async () => {
  const runs = await liveRuns();
  await (await manager()).streams.purge(stream().name);

  await expectUndisturbed(client, runs);
  await delivered();
  await expectHealed(service);
});

test('its consumers are deleted during executions', async () => {
  const runs = await liveRuns();
  for (const consumer of ['projector', 'orchestrator', 'dead_letters']) {
    // A consumer that is being created cannot be deleted yet.
    await eventually(async () => (await manager()).consumers.info(stream().name, consumer));
    await (await manager()).consumers.delete(stream().name, consumer);
  }

  await expectUndisturbed(client, runs);
  await delivered();
  await expectHealed(service);
});

test('unavailable: commands succeed, own writes are readable, work continues, a cancel kills', async () => {
  const running = await liveRuns();
  await nats.stop();
  await readyWhere(service, { status: 503, notReady: ['nats'] });

  await expectUndisturbed(client, running);
  const task = await client.createTask({ script_type: 'bash', script_content: 'sleep 600', name: 'meanwhile' });
  expect(await client.ok('GET', `/tasks/${task.id}`)).toMatchObject({ name: 'meanwhile' });
  const { id } = await client.start(task.id);
  await client.follow(id, isRunning);
  await programsRun(service, 1);
  expect(await client.request('DELETE', `/executions/${id}`)).toMatchObject({ status: 200 });
  expect(await client.follow(id)).toMatchObject({ status: 'cancelled' });
  await expectNoContainers(service);

  await nats.start();
  await delivered();
  await readyWhere(service, { status: 200, notReady: [] });
  await expectHealed(service);
});

test('unavailable: a suite is judged, and its tests come with its end', async () => {
  await nats.stop();
  const tests = ['a', 'b'].map((stdin) => ({ stdin, expected_stdout: 'a' }));
  const task = await client.createTask({ script_type: 'bash', script_content: 'cat', tests });
  const { id } = await client.start(task.id);
  expect(await client.follow(id)).toMatchObject({ status: 'completed', verdict: 'wrong_answer', score: 1 });
  const authorization = `Bearer ${client.accessToken}`;
  const events = await EventReader.of(`${service.url}/api/v1/executions/${id}/events`, { authorization });
  expect((await events.rest()).map(({ event }) => event).slice(-3)).toEqual(['test', 'test', 'ExecutionSucceeded']);

  await nats.start();
  await delivered();
  await expectHealed(service);
});

test('unavailable: a dead letter delays no other execution, and is announced once when NATS is back', async () => {
  await nats.stop();
  const noDelay = { initial_delay_ms: 0, backoff_factor: 1, max_delay_ms: 0 };
  const retry = { max_attempts: 1, retry_on: ['exit_code' as const], ...noDelay };
  const dead = await client.run({ script_type: 'bash', script_content: 'exit 3', retry });
  expect(dead).toMatchObject({ status: 'failed', dead_lettered: true });
  const others = await startRuns(client, 2, { seconds: 0 });
  await expectUndisturbed(client, others);

  await nats.start();
  expect(await noticesOf(service)).toMatchObject([
    { stream: `execution-${dead.id}`, type: 'ExecutionDeadLettered', data: { attempt: 1, reason: 'exit_code' } },
  ]);
  await expectHealed(service);
});

test('killed and its disk wiped during executions', async () => {
  const runs = await liveRuns();
  await nats.kill();
  await nats.wipe();
  await nats.start();

  await expectUndisturbed(client, runs);
  await delivered();
  await expectHealed(service);
});
