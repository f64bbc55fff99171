import { closeRedis, createRedis, redisReady } from '../../../src/platform/redis/create-redis.js';
import { isOutage } from '../../../src/platform/redis/outage.js';
import { type Log, silentLog } from '../../../src/platform/telemetry/log.js';
import { eventually } from '../../support/eventually.js';
import { type PrivateRedis, startPrivateRedis, testRedis } from '../../support/redis.js';

const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a connection to Redis', () => {
  let server: PrivateRedis;
  beforeEach(async () => {
    server = await startPrivateRedis();
  });
  afterEach(() => server.stop());

  const open = (log: Log = silentLog) => createRedis({ host: '127.0.0.1', port: server.port, log });

  it('is restored by itself, and logs one outage once', async () => {
    const lines: string[] = [];
    const note = (_: unknown, message?: string) => void lines.push(message ?? String(_));
    const redis = open({ ...silentLog, warn: note, info: note } as unknown as Log);
    expect(await redisReady(redis, 5_000)).toBe(true);
    await server.kill();
    let attempts = 0;
    redis.on('reconnecting', () => (attempts += 1));
    await eventually(() => expect(attempts).toBeGreaterThanOrEqual(3));
    await server.start();
    await eventually(async () => expect(await redis.ping()).toBe('PONG'));
    expect(lines).toEqual(['redis connection lost', 'redis connection restored']);
    await closeRedis(redis);
  });

  it('distinguishes an outage from a mistake', async () => {
    const redis = open();
    await redisReady(redis, 5_000);
    await redis.set('text', 'x');
    expect(isOutage(await errorOf(redis.lpush('text', 'y')))).toBe(false);
    expect(isOutage(await errorOf(redis.eval('return redis.call("NOPE")', 0)))).toBe(false);
    await redis.config('SET', 'maxmemory', '1');
    expect(isOutage(await errorOf(redis.set('more', 'x')))).toBe(true);
    const cut = errorOf(redis.blpop('nothing', 0));
    await server.kill();
    expect(isOutage(await cut)).toBe(true);
    expect(isOutage(await errorOf(redis.ping()))).toBe(true);
    await closeRedis(redis);
    expect(isOutage(await errorOf(redis.ping()))).toBe(true);
    expect(isOutage(new TypeError('a bug'))).toBe(false);
    expect(isOutage('not even an error')).toBe(false);
  });

  it('can be closed at any time, also twice', async () => {
    const fresh = open();
    await closeRedis(fresh);
    const connected = open();
    await redisReady(connected, 5_000);
    await closeRedis(connected);
    await closeRedis(connected);
    expect(await redisReady(connected, 5_000)).toBe(false);
    const away = open();
    await redisReady(away, 5_000);
    await server.kill();
    await eventually(() => expect(away.status).toBe('reconnecting'));
    await closeRedis(away);
  });

  it('is awaited only for the given time', async () => {
    await server.kill();
    const redis = open();
    expect(await redisReady(redis, 20)).toBe(false);
    const abort = new AbortController();
    const ready = redisReady(redis, 50_000, abort.signal);
    abort.abort();
    expect(await ready).toBe(false);
    await closeRedis(redis);
  });
});

it('a test fails if it leaves a key without expiry, and the key is removed', async () => {
  const service = await testRedis();
  const other = await testRedis();
  const key = `{${service.namespace}}:left`;
  await service.redis.set(key, 'x');
  await service.redis.set(`{${service.namespace}}:expiring`, 'x', 'PX', 60_000);
  await expect(service.close()).rejects.toThrow(`${key} (string)`);
  expect(await other.redis.exists(key)).toBe(0);
  await other.close();
});
