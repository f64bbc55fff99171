import { z } from 'zod';

import {
  boolean,
  durationMs,
  integer,
  list,
  networks,
  number,
  optionalText,
  roles,
  retention,
  secretBase64,
  secrets,
  secretsBase64,
} from './setting-types.js';

export const JWT_SECRET_CHARS_MIN = 32;

/**
 * Every setting, by its environment name: the one place that says what exists, its unit, its bounds and its default.
 * `.env.example` is generated from this table (`voidrunner settings`).
 */
export const settingsSchema = z.object({
  SERVER_HOST: z.string().default('127.0.0.1').describe('address the API listens on'),
  SERVER_PORT: integer(0, 65_535).default(8080).describe('port the API listens on; 0 takes a free one'),
  SERVER_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('production refuses defaults'),
  SERVER_CONNECTIONS_MAX: integer(1, 1_000_000)
    .default(8_192)
    .describe('connections that are open at a time, per API process; the next one is reset'),
  SERVER_CONNECTIONS_PER_ADDRESS: integer(1, 1_000_000)
    .default(1_024)
    .describe('of one address (of IPv6: one /64), but for the proxies that are trusted'),
  SERVER_TRUST_PROXY: networks.describe(
    'comma-separated networks of proxies whose X-Forwarded-* are believed, such as 10.0.0.0/8 or loopback; empty: none',
  ),
  SERVER_SHUTDOWN_TIMEOUT: durationMs.default(10_000).describe('how long open requests may take at shutdown'),
  SERVER_OWN_WRITES_TIMEOUT: durationMs
    .default(1_000)
    .describe('how long the answer to a write may wait until the read models hold it'),
  VOIDRUNNER_ROLES: roles.describe('api, relay, projector, orchestrator, worker; default: all'),
  EMBEDDED_WORKERS: boolean.default(true).describe('false leaves worker out of the default roles'),
  METRICS_PORT: integer(0, 65_535)
    .default(9464)
    .describe('/metrics (Prometheus text) and /ready of this process, on a port of their own; 0: none'),

  DB_HOST: z.string().default('127.0.0.1').describe('Postgres, 15 or newer'),
  DB_PORT: integer(1, 65_535).default(5432),
  DB_NAME: z.string().default('voidrunner'),
  DB_USER: z.string().default('voidrunner_app').describe('the role of the service: may not change the log'),
  DB_PASSWORD: z.string().default(''),
  DB_OWNER_USER: z.string().default('voidrunner_owner').describe('the role that migrates; the service never uses it'),
  DB_OWNER_PASSWORD: z.string().default(''),
  DB_SSL_MODE: z.enum(['disable', 'require', 'verify-full']).default('disable'),
  DB_POOL_SIZE: integer(2, 200).default(10).describe('connections of the pool, per process'),

  REDIS_HOST: z.string().default('127.0.0.1').describe('Redis, 7 or newer, with maxmemory-policy noeviction'),
  REDIS_PORT: integer(1, 65_535).default(6379),
  REDIS_PASSWORD: z.string().default(''),
  REDIS_DB: integer(0, 15).default(0),

  NATS_URL: z.string().default('nats://127.0.0.1:4222').describe('NATS, 2.9 or newer, with JetStream'),
  NATS_USER: z.string().default(''),
  NATS_PASSWORD: z.string().default(''),
  NATS_STREAM_PREFIX: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/)
    .default('VOIDRUNNER')
    .describe('streams are PREFIX_EVENTS, PREFIX_DLQ, PREFIX_OUTPUT; subjects start with it in lower case'),
  NATS_EVENTS_MAX_BYTES: integer(1_048_576, Number.MAX_SAFE_INTEGER)
    .default(1024 ** 3)
    .describe('bytes the events stream may take before the oldest are discarded from JetStream (never from Postgres)'),
  NATS_OUTPUT_MAX_BYTES: integer(1_048_576, Number.MAX_SAFE_INTEGER)
    .default(256 * 1024 ** 2)
    .describe('bytes of the server’s memory for the output of runs that are under way, for those who follow it'),

  QUEUE_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
    .default('voidrunner')
    .describe('prefix of the Redis keys, and of worker ids in container labels'),
  QUEUE_LEASE_DURATION: durationMs.default(15_000).describe('a lease not renewed for as long is lost'),
  QUEUE_AGEING_INTERVAL: durationMs.default(60_000).describe('a job that waited as long moves up one priority band'),
  QUEUE_RECONCILE_INTERVAL: durationMs.default(5_000).describe('how often active executions are compared with Redis'),

  EXTERNAL_REPORT_TIMEOUT: durationMs
    .pipe(
      z
        .int()
        .min(1_000)
        .max(30 * 24 * 3_600_000),
    )
    .meta({ unit: 'ms' })
    .default(24 * 3_600_000)
    .describe('a run for an external worker, of which nothing is reported for as long, expires; 1s to 720h'),

  WORKER_POOL_SIZE: integer(1, 256).default(4).describe('runs at a time, per worker process'),
  WORKER_MAX_USER_CONCURRENT_TASKS: integer(1, 1_000)
    .default(3)
    .describe(
      'runs at a time of one user, over all workers: fewer than these have slots, or one user stops all others',
    ),
  WORKER_HEARTBEAT_INTERVAL: durationMs.default(3_000),
  WORKER_SHUTDOWN_TIMEOUT: durationMs.default(30_000).describe('runs that take longer at shutdown are handed back'),

  DOCKER_ENDPOINT: z
    .string()
    .regex(/^(unix:\/\/\/|tcp:\/\/|http:\/\/).+/, 'must be unix:///path or tcp://host:port')
    .default('unix:///var/run/docker.sock'),
  EXECUTOR_PYTHON_IMAGE: z.string().default('voidrunner/python:latest'),
  EXECUTOR_JAVASCRIPT_IMAGE: z.string().default('voidrunner/javascript:latest').describe('runs typescript as well'),
  EXECUTOR_BASH_IMAGE: z.string().default('voidrunner/bash:latest'),
  EXECUTOR_GO_IMAGE: z.string().default('voidrunner/go:latest'),
  EXECUTOR_RUNTIME: optionalText.describe('OCI runtime: empty for the engine’s default, or crun, runsc'),
  EXECUTOR_SECCOMP_PROFILE: z.string().default('seccomp/cell.json').describe('path; relative to the checkout'),
  EXECUTOR_ISOLATION: z
    .enum(['nested', 'single'])
    .default('nested')
    .describe(
      'nested: a container serves its user’s next runs as well, each in namespaces of its own; single: one run',
    ),
  EXECUTOR_ISOLATION_REQUIRED: z
    .enum(['none', 'nested'])
    .default('none')
    .describe('nested: where the host refuses namespaces, nothing is run; none: each run has a container of its own'),
  EXECUTOR_POOL_SIZE: integer(0, 16)
    .default(2)
    .describe('containers kept ready of each image; 0: each is made when it is needed'),
  EXECUTOR_CELLS_MAX: integer(1, 4_096)
    .default(64)
    .describe('containers at a time, per worker process: those that wait make room for those that run'),
  EXECUTOR_CELL_JOBS: integer(1, 10_000)
    .default(500)
    .describe('runs of its user that a container serves before it is replaced'),
  EXECUTOR_CELL_REST: durationMs.default(30_000).describe('how long a container waits for its user’s next run'),
  EXECUTOR_OUTPUT_BYTES_MAX: integer(1_024, 64 * 1024 ** 2)
    .default(1024 ** 2)
    .describe('kept of each of stdout and stderr'),
  EXECUTOR_COMPILE_TIMEOUT: durationMs
    .pipe(z.int().min(1_000).max(3_600_000))
    .default(60_000)
    .meta({ unit: 'ms' })
    .describe('how long a compiler may take, apart from a run’s timeout_seconds; 1s to 1h'),
  EXECUTOR_MEMORY_MB_MAX: integer(16, 65_536).default(512).describe('the most a task may ask for'),
  EXECUTOR_CPUS_MAX: number(0.1, 64).default(1).describe('the most a task may ask for'),
  EXECUTOR_PIDS_MAX: integer(16, 4_096).default(256).describe('the most a task may ask for'),
  EXECUTOR_TIMEOUT_MAX: durationMs
    .pipe(
      z
        .int()
        .min(1_000)
        .max(24 * 3_600_000),
    )
    .meta({ unit: 'ms' })
    .default(3_600_000)
    .describe('the most a task may ask for as its timeout_seconds; 1s to 24h'),

  JWT_SECRET_KEY: z.string().default('').describe('at least 32 characters; required in production'),
  JWT_SECRET_KEYS_ACCEPTED: secrets(JWT_SECRET_CHARS_MIN).describe(
    'comma-separated: tokens signed with them are good as well, while a key is replaced',
  ),
  JWT_ISSUER: z.string().default('voidrunner'),
  JWT_AUDIENCE: z.string().default('voidrunner-api'),
  JWT_ACCESS_TOKEN_DURATION: durationMs.default(15 * 60_000),
  JWT_REFRESH_TOKEN_DURATION: durationMs.default(7 * 24 * 3_600_000),
  JWT_REFRESH_TOKEN_GRACE: durationMs
    .pipe(z.int().max(60_000))
    .meta({ unit: 'ms' })
    .default(10_000)
    .describe(
      'how long the refresh token that was exchanged last may come again (two tabs, a lost answer); 1ms to 60s',
    ),
  PAYLOAD_MASTER_KEY: secretBase64(32).describe(
    '32 bytes, base64: wraps every user’s data key; lose it and payloads are lost',
  ),
  PAYLOAD_MASTER_KEYS_ACCEPTED: secretsBase64(32).describe(
    'comma-separated: open what is wrapped with them, while a key is replaced (voidrunner keys)',
  ),

  STORAGE_QUOTA_MB: integer(0, 100_000_000)
    .default(1_024)
    .describe('MiB of scripts, inputs and outputs that a user may have stored, 1 KiB each at least; 0: no limit'),
  RETENTION_RUNS: retention
    .default(30 * 86_400_000)
    .describe('how long inputs and outputs of runs are kept, at least EXTERNAL_REPORT_TIMEOUT; 0: without an end'),
  RETENTION_DELETED_TASKS: retention
    .default(86_400_000)
    .describe('how long the scripts of a deleted task are kept; 0: without an end'),

  CORS_ALLOWED_ORIGINS: list.describe('comma-separated origins; empty: none'),
  RATE_LIMIT_ENABLED: boolean.default(true),
  RATE_LIMIT_LOGIN_PER_ACCOUNT: integer(1, 1_000_000)
    .default(10)
    .describe('per minute, to one account from one address'),
  RATE_LIMIT_LOGIN_EVERYWHERE: integer(1, 1_000_000)
    .default(30)
    .describe('per minute, to one account from all addresses: the next ones take 2 s longer, and are not refused'),
  RATE_LIMIT_LOGIN_PER_ADDRESS: integer(1, 1_000_000).default(60).describe('per minute'),
  RATE_LIMIT_REGISTER_PER_ADDRESS: integer(1, 1_000_000).default(30).describe('per minute'),
  RATE_LIMIT_REFRESH: integer(1, 1_000_000).default(60).describe('per minute'),
  RATE_LIMIT_WRITES: integer(1, 1_000_000).default(600).describe('per minute and user'),
  RATE_LIMIT_READS: integer(1, 1_000_000).default(6_000).describe('per minute and user'),
  RATE_LIMIT_AT_ONCE: integer(1, 10_000)
    .default(32)
    .describe(
      'requests of one user that are worked on at a time, per API process; the next 2,000 wait for their turn, up to 20 s',
    ),
  RATE_LIMIT_CONCURRENT: integer(1, 100_000)
    .default(100)
    .describe(
      'requests of one user that wait or follow at a time, per API process; holds with RATE_LIMIT_ENABLED=false',
    ),

  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  LOG_FORMAT: z.enum(['json', 'text']).default('json'),
  OTEL_SERVICE_NAME: z.string().default('voidrunner'),
  OTEL_EXPORTER_OTLP_ENDPOINT: optionalText.describe('base URL of an OTLP/HTTP receiver; empty: none'),
  OTEL_TRACES_FILE: optionalText.describe('append spans to this file too, for `voidrunner trace`'),
});

export type Settings = z.output<typeof settingsSchema>;

/** Settings whose values are never printed. */
export const SECRET_SETTINGS: readonly (keyof Settings)[] = [
  'DB_PASSWORD',
  'DB_OWNER_PASSWORD',
  'REDIS_PASSWORD',
  'NATS_PASSWORD',
  'JWT_SECRET_KEY',
  'JWT_SECRET_KEYS_ACCEPTED',
  'PAYLOAD_MASTER_KEY',
  'PAYLOAD_MASTER_KEYS_ACCEPTED',
];
