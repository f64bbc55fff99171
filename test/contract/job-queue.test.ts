import { silentLog } from '../../src/platform/telemetry/log.js';
import { RedisJobQueue } from '../../src/queue/redis-job-queue.js';
import { InMemoryJobQueue } from '../support/in-memory-job-queue.js';
import { expectNoKeysLeft, type TestRedis, testRedis } from '../support/redis.js';
import { describeJobLeases } from './job-queue-leases.contract.js';
import { describeJobOrder } from './job-queue-order.contract.js';
import { describeJobWaits } from './job-queue-waits.contract.js';
import type { OpenQueue } from './job-queue.contract.js';

const describeJobQueue = (name: string, open: OpenQueue): void => {
  describe(name, () => {
    describe('order', () => describeJobOrder(open));
    describe('leases', () => describeJobLeases(open));
    describe('waits', () => describeJobWaits(open));
  });
};

describeJobQueue('InMemoryJobQueue', async (limits) => ({
  queue: new InMemoryJobQueue(limits),
  close: () => Promise.resolve(),
}));

describe('with Redis', () => {
  let service: TestRedis;
  let opened = 0;
  beforeAll(async () => {
    service = await testRedis();
  });
  afterAll(() => service.close());

  describeJobQueue('RedisJobQueue', async (limits) => {
    opened += 1;
    const { redis } = service;
    const namespace = `${service.namespace}-${opened}`;
    const queue = new RedisJobQueue({ redis, namespace, ...limits, log: silentLog });
    return {
      queue,
      async close() {
        await queue.close();
        await expectNoKeysLeft(redis, namespace);
      },
    };
  });
});
