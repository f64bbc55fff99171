import type { Config } from '../../src/config/load-config.js';
import { ignoreErrors } from '../../src/platform/async/ignore-errors.js';
import { closeRedis, createRedis, redisReady } from '../../src/platform/redis/create-redis.js';
import { silentLog } from '../../src/platform/telemetry/log.js';
import { LABEL_MANAGED, LABEL_WORKER } from '../../src/sandbox/container-spec.js';
import { connectEngine } from '../../src/sandbox/engine.js';
import { expectNoKeysLeft } from './redis.js';

const REDIS_READY_MS = 5_000;

/** Fails if containers of the namespace are left, or keys of it that would never expire. */
export async function expectNothingLeft(config: Config): Promise<void> {
  await expectNoContainersOf(config);
  const { REDIS_HOST: host, REDIS_PORT: port, REDIS_PASSWORD: password, REDIS_DB: db } = config;
  const redis = createRedis({ host, port, password, db, name: 'test', log: silentLog });
  try {
    // A private Redis that has already stopped has kept nothing.
    if (await redisReady(redis, REDIS_READY_MS)) await expectNoKeysLeft(redis, config.QUEUE_NAMESPACE);
  } finally {
    await closeRedis(redis);
  }
}

async function expectNoContainersOf(config: Config): Promise<void> {
  const engine = connectEngine(config.DOCKER_ENDPOINT);
  const all = engine.listContainers({ all: true, filters: { label: [`${LABEL_MANAGED}=1`] } });
  const containers = (await ignoreErrors(all, 'without an engine there are none')) ?? [];
  const left = containers
    .map(({ Labels }) => Labels[LABEL_WORKER] ?? '')
    .filter((worker) => worker.startsWith(`${config.QUEUE_NAMESPACE}.`));
  if (left.length > 0) throw new Error(`containers left behind by: ${left.join(', ')}`);
}
