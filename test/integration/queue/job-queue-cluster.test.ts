import { randomUUID } from 'node:crypto';

import { closeRedis } from '../../../src/platform/redis/create-redis.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { RedisJobQueue } from '../../../src/queue/redis-job-queue.js';
import { eventually } from '../../support/eventually.js';
import { startPrivateRedis } from '../../support/redis.js';

/** Like a larger cluster, a cluster of one node refuses a script whose keys are in several slots. */
it('keeps all keys of the job queue in one slot of a Redis Cluster', async () => {
  const server = await startPrivateRedis(['--cluster-enabled', 'yes']);
  const redis = await server.connect();
  const options = { redis, namespace: 'test', userConcurrencyMax: 1, ageingIntervalMs: 1, log: silentLog };
  const queue = new RedisJobQueue(options);
  try {
    await redis.cluster('ADDSLOTSRANGE', 0, 16_383);
    await eventually(async () => expect(await redis.cluster('INFO')).toContain('cluster_state:ok'));
    const job = { executionId: randomUUID(), attempt: 1, userId: 'ada', priority: 5 };
    await queue.enqueue(job);
    await queue.enqueue({ ...job, attempt: 2, notBefore: Date.now() + 3_600_000 });
    const reserved = await queue.reserve({ workerId: 'w', leaseMs: 60_000, waitMs: 30_000 });
    expect(await queue.heartbeat(reserved!, 60_000)).toBe(true);
    expect(await queue.release(reserved!)).toBe(true);
    expect(await queue.restoreLease(reserved!, 'w', 60_000)).toBe(true);
    expect(await queue.complete(reserved!)).toBe(true);
    expect(await queue.cancel({ ...job, attempt: 2 })).toBe('delayed');
    await queue.workerHeartbeat({ workerId: 'w', running: [] }, 60_000);
    expect(await queue.workers()).toHaveLength(1);
    expect(await queue.stats()).toEqual({ waiting: 0, delayed: 0, leased: 0, oldestWaitingMs: 0 });
  } finally {
    await queue.close();
    await closeRedis(redis);
    await server.stop();
  }
});
