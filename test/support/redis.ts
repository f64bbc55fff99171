import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Redis } from 'ioredis';

import { closeRedis, createRedis, redisReady } from '../../src/platform/redis/create-redis.js';
import { silentLog } from '../../src/platform/telemetry/log.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { testNamespace } from './namespace.js';

const READY_TIMEOUT_MS = 10_000;
/** For the shared service, which no test freezes: a slow command on a busy machine is not an outage. */
const COMMAND_TIMEOUT_MS = 30_000;
const START_ATTEMPTS_MAX = 5;
const SCAN_COUNT = 1_000;

export interface TestRedis {
  readonly redis: Redis;
  /** Only this test's keys start with `{namespace}`. */
  readonly namespace: string;
  /** Closes the connection. @throws Error if the namespace has keys left that would never expire */
  close(): Promise<void>;
}

/** A connection to the shared service, and a namespace for one test. */
export async function testRedis(): Promise<TestRedis> {
  const redis = await connect({
    host: process.env.REDIS_HOST ?? '127.0.0.1',
    port: Number(process.env.REDIS_PORT ?? 6379),
    password: process.env.REDIS_PASSWORD,
  });
  redis.options.commandTimeout = COMMAND_TIMEOUT_MS;
  const namespace = testNamespace();
  return {
    redis,
    namespace,
    async close() {
      try {
        await expectNoKeysLeft(redis, namespace);
      } finally {
        await closeRedis(redis);
      }
    },
  };
}

/** @throws Error with the keys of the namespace that would never expire; removes them before */
export async function expectNoKeysLeft(redis: Redis, namespace: string): Promise<void> {
  const left: string[] = [];
  for await (const keys of redis.scanStream({ match: `{${namespace}}*`, count: SCAN_COUNT })) {
    for (const key of keys as string[]) {
      if ((await redis.pttl(key)) === -1) left.push(`${key} (${await redis.type(key)})`);
      await redis.del(key);
    }
  }
  if (left.length > 0) throw new Error(`keys left without expiry: ${left.sort().join(', ')}`);
}

export interface PrivateRedis {
  readonly port: number;
  /** A new connection; the caller closes it with `closeRedis`. */
  connect(): Promise<Redis>;
  /** SIGKILL: connections break, and all data is lost. */
  kill(): Promise<void>;
  /** Starts on the same port as before, empty. */
  start(): Promise<void>;
  /** Stops responding without closing connections, like a host that is cut off. */
  freeze(): void;
  thaw(): void;
  /** Ends the process and removes its folder. */
  stop(): Promise<void>;
}

/** A private redis-server, to be killed, frozen and flushed. It persists nothing. Takes additional settings. */
export async function startPrivateRedis(settings: readonly string[] = []): Promise<PrivateRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'voidrunner-redis-'));
  const started = await startOnFreePort(folder, settings);
  const { port } = started;
  let { server } = started;
  const end = async (signal: NodeJS.Signals) => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill(signal);
    await exited;
  };
  return {
    port,
    connect: () => connect({ host: '127.0.0.1', port }),
    kill: () => end('SIGKILL'),
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    async start() {
      server = launch(folder, port, settings);
      await answers(port);
    },
    async stop() {
      await end('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function connect(options: { host: string; port: number; password?: string }): Promise<Redis> {
  const redis = createRedis({ ...options, name: 'test', log: silentLog });
  if (await redisReady(redis, READY_TIMEOUT_MS)) return redis;
  await closeRedis(redis);
  throw new Error(`no Redis at ${options.host}:${options.port}: run \`make setup\``);
}

// Another process may take the port before it is bound.
async function startOnFreePort(
  folder: string,
  settings: readonly string[],
): Promise<{ port: number; server: ChildProcess }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const server = launch(folder, port, settings);
    const started = await Promise.race([answers(port).then(() => true), once(server, 'exit').then(() => false)]);
    if (started) return { port, server };
    if (attempt === START_ATTEMPTS_MAX) throw new Error('redis-server does not start');
  }
}

function launch(folder: string, port: number, settings: readonly string[]): ChildProcess {
  const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  return spawn('redis-server', [...fixed, ...settings], { stdio: 'ignore' });
}

async function answers(port: number): Promise<void> {
  await eventually(async () => closeRedis(await connect({ host: '127.0.0.1', port })), { timeoutMs: READY_TIMEOUT_MS });
}
