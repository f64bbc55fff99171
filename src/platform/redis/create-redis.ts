import { Redis } from 'ioredis';

import { waitForCall } from '../async/wait-for-call.js';
import type { Log } from '../telemetry/log.js';

/** Timeout for a connection, ms. */
export const CONNECT_TIMEOUT_MS = 2_000;

/** Timeout for the reply to a command, ms; then the caller gets an outage. */
export const COMMAND_TIMEOUT_MS = 2_000;

/** A socket that owes a reply for this long is dead (a host gone without a FIN), and is reopened. */
export const SOCKET_TIMEOUT_MS = 5_000;

/** Timeout for the other side to close as well, ms; then the socket is destroyed. */
export const DISCONNECT_TIMEOUT_MS = 500;

/** Between two attempts to connect: doubles from the first value to the second, and up to half of it is random. */
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
 * A connection that opens in the background and reopens after every loss, until `closeRedis`.
 *
 * A command fails at once if there is no connection: an offline queue would grow with the outage, and its callers
 * would learn nothing. The client never sends a command twice: the callers decide what may be repeated.
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
    // After a failover behind one name, the server at the other end is a replica.
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

/** @returns whether the connection is ready: after `timeoutMs` at the latest, when it is closed, or on `signal` */
export async function redisReady(redis: Redis, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  const subscribe = (changed: () => void) => {
    redis.once('ready', changed).once('end', changed);
    return () => redis.off('ready', changed).off('end', changed);
  };
  if (redis.status !== 'ready' && redis.status !== 'end') await waitForCall(subscribe, { timeoutMs, signal });
  return redis.status === 'ready';
}

/** Closes the connection for good; pending replies are lost. Resolves when the socket is closed. */
export function closeRedis(redis: Redis): Promise<void> {
  if (redis.status === 'end') return Promise.resolve();
  // Between two attempts there is no socket, and ioredis would never emit `end`.
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

// Once per outage, not once per attempt: an hour without Redis is one line, not thousands.
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
