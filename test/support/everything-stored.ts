import type { Redis } from 'ioredis';
import { type JsMsg, nanos, type NatsConnection } from 'nats';
import type { Pool } from 'pg';

/** All keys of a Redis and their values, as text. */
export async function everythingInRedis(redis: Redis): Promise<string> {
  const found: unknown[] = [];
  for await (const keys of redis.scanStream({ count: 1_000 })) {
    for (const key of keys as string[]) found.push(key, await valueOf(redis, key));
  }
  return JSON.stringify(found);
}

async function valueOf(redis: Redis, key: string): Promise<unknown> {
  const type = await redis.type(key);
  if (type === 'string') return redis.get(key);
  if (type === 'hash') return redis.hgetall(key);
  if (type === 'list') return redis.lrange(key, 0, -1);
  if (type === 'set') return redis.smembers(key);
  if (type === 'zset') return redis.zrange(key, '0', '-1', 'WITHSCORES');
  if (type === 'stream') return redis.xrange(key, '-', '+');
  // The key expired after it was listed.
  if (type === 'none') return null;
  throw new Error(`a key of type ${type}`);
}

/** All messages of a stream of JetStream, with their subjects and headers, as text. */
export async function everythingInStream(connection: NatsConnection, stream: string): Promise<string> {
  const manager = await connection.jetstreamManager();
  const { state } = await manager.streams.info(stream);
  const found: unknown[] = [];
  if (state.messages === 0) return '[]';
  const consumer = await connection.jetstream().consumers.get(stream);
  for await (const message of await consumer.consume({ max_messages: 1_000, expires: nanos(30_000) / 1_000_000 })) {
    found.push(message.subject, message.string(), headersOf(message));
    if (message.seq >= state.last_seq) break;
  }
  return JSON.stringify(found);
}

const headersOf = ({ headers }: JsMsg): unknown => headers && [...headers].map(([name, values]) => [name, values]);

/** All rows of a table as text. */
export async function everythingInTable(pool: Pool, table: string): Promise<string> {
  const { rows } = await pool.query<{ row: string }>(`select t::text as row from ${table} t`);
  return rows.map(({ row }) => row).join('\n');
}
