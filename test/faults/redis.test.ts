import type { Redis } from 'ioredis';

import { closeRedis } from '../../src/platform/redis/create-redis.js';
import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import {
  expectNoContainers,
  expectHealed,
  expectUndisturbed,
  isRunning,
  programsRun,
  queueOf,
  QUICK,
  readyWhere,
  startRuns,
} from '../support/faults.js';
import { type PrivateRedis, startPrivateRedis } from '../support/redis.js';
import { startTestService, type TestService } from '../support/service.js';

let server: PrivateRedis;
let redis: Redis;
let service: TestService;
let client: ApiClient;

beforeAll(async () => {
  server = await startPrivateRedis();
  redis = await server.connect();
  service = await startTestService({
    ...QUICK,
    SERVER_OWN_WRITES_TIMEOUT: '15s',
    REDIS_HOST: '127.0.0.1',
    REDIS_PORT: String(server.port),
    REDIS_PASSWORD: '',
  });
  client = await ApiClient.register(() => service.url);
});

afterAll(async () => {
  await service.close();
  await closeRedis(redis);
  await server.stop();
});

const leased = async (count: number) =>
  eventually(async () => expect(await queueOf(service).stats()).toMatchObject({ leased: count }));

test('flushed repeatedly during executions: pending jobs are enqueued again, running ones continue', async () => {
  const runs = await startRuns(client, 4, { seconds: 8 });
  await leased(2);

  for (let flushes = 1; flushes <= 3; flushes += 1) {
    await redis.flushall();
    // Heartbeats of running workers restore the leases, the reconciler restores the jobs.
    await eventually(async () => expect(await queueOf(service).stats()).toMatchObject({ leased: 2, waiting: 2 }));
  }

  await expectUndisturbed(client, runs);
  await expectHealed(service);
});

test('killed and restarted empty: commands succeed meanwhile, and each execution ends once', async () => {
  const running = await startRuns(client, 2, { seconds: 2 });
  await Promise.all(running.map(({ id }) => client.follow(id, isRunning)));

  await server.kill();
  await readyWhere(service, { status: 503, notReady: ['redis', 'executor', 'workers'] });
  const [asked] = await startRuns(client, 1, { seconds: 0 });
  expect((await client.execution(asked!.id)).status).toBe('pending');
  await server.start();

  await expectUndisturbed(client, running);
  await expectUndisturbed(client, [asked!]);
  await readyWhere(service, { status: 200, notReady: [] });
  await expectHealed(service);
});

test('unavailable: ends are recorded meanwhile, and a cancelled run is killed', async () => {
  const running = await startRuns(client, 1, { seconds: 10 });
  const [endless] = await startRuns(client, 1, { seconds: 600 });
  await programsRun(service, 2);

  await server.kill();
  expect(await client.request('DELETE', `/executions/${endless!.id}`)).toMatchObject({ status: 200 });
  expect(await client.follow(endless!.id)).toMatchObject({ status: 'cancelled' });
  await expectUndisturbed(client, running);
  await expectNoContainers(service);
  await server.start();

  const [after] = await startRuns(client, 1, { seconds: 0 });
  await expectUndisturbed(client, [after!]);
  await expectHealed(service);
});
