import { Redis } from 'ioredis';

import type { Log } from '../telemetry/log.js';

/** Until a connection stands, ms. */
export const CONNECT_TIMEOUT_MS = 2_000;

/** Until a command has its answer, ms; then the caller gets an outage. */
export const COMMAND_TIMEOUT_MS = 2_000;

/** A socket that owes us an answer for as long is dead (a host gone without a FIN), and is opened anew. */
export const SOCKET_TIMEOUT_MS = 5_000;

/** Until the other side has closed as well, ms; then the socket is destroyed. */
export const DISCONNECT_TIMEOUT_MS = 500;

/** Between two attempts to connect: doubling from the first to the second, and up to half of it at random. */
export const RECONNECT_DELAY_MS_MIN = 50;
export const RECONNECT_DELAY_MS_MAX = 1_000;

export interface RedisConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly password?: string;
  readonly db?: number;
  /** Shown in CLIENT LIST. */
  readonly name?: string;
  readonly log: Log;
}

/**
 * A connection that opens itself in the background and again after every loss, until `closeRedis`.
 *
 * A command fails at once where there is no connection (no offline queue: it would grow with the outage, and
 * whoever waits in it knows nothing), and no command is sent twice by the client: the callers decide what may be
 * repeated.
 */
export function createRedis(options: RedisConnectionOptions): Redis {
  const redis = new Redis({
    host: options.host,
    port: options.port,
    password: options.password || undefined,
    db: options.db ?? 0,
    connectionName: options.name,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: reconnectDelayMs,
    // After a failover behind one name: the server at the other end has become a replica.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  logOutages(redis, options.log);
  return redis;
}

/** A second connection to the same server, for one command that blocks up to `blockMs`. */
export function createBlockingRedis(redis: Redis, options: { blockMs: number; name?: string; log: Log }): Redis {
  const blocking = redis.duplicate({
    connectionName: options.name ?? redis.options.connectionName,
    commandTimeout: undefined,
    socketTimeout: options.blockMs + SOCKET_TIMEOUT_MS,
    lazyConnect: false,
  });
  logOutages(blocking, options.log);
  return blocking;
}

/** @returns whether the connection stands: at the latest after `timeoutMs`, or when it was closed, or on `signal` */
export function redisReady(redis: Redis, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  if (redis.status === 'ready') return Promise.resolve(true);
  if (redis.status === 'end' || signal?.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const settle = (): void => {
      clearTimeout(timer);
      redis.off('ready', settle).off('end', settle);
      signal?.removeEventListener('abort', settle);
      resolve(redis.status === 'ready');
    };
    const timer = setTimeout(settle, timeoutMs);
    redis.once('ready', settle).once('end', settle);
    signal?.addEventListener('abort', settle);
  });
}

/** Ends the connection for good; replies still under way are lost. Resolves when the socket is closed. */
export function closeRedis(redis: Redis): Promise<void> {
  if (redis.status === 'end') return Promise.resolve();
  // Between two attempts there is no socket, and ioredis would never say `end`.
  if (redis.status === 'reconnecting') return Promise.resolve(redis.disconnect());
  return new Promise((resolve) => {
    redis.once('end', () => resolve());
    redis.disconnect();
  });
}

function reconnectDelayMs(attempt: number): number {
  const ceiling = Math.min(RECONNECT_DELAY_MS_MIN * 2 ** Math.min(attempt - 1, 10), RECONNECT_DELAY_MS_MAX);
  return Math.round(ceiling / 2 + (Math.random() * ceiling) / 2);
}

// Once per outage, not once per attempt: a Redis away for an hour is one line, not thousands.
function logOutages(redis: Redis, log: Log): void {
  let away = false;
  redis.on('error', (error: Error) => {
    if (!away) log.warn({ err: error }, 'redis connection lost');
    away = true;
  });
  redis.on('ready', () => {
    if (away) log.info('redis connection restored');
    away = false;
  });
}
