import { z } from 'zod';

import { sealerSettings } from './sealer-settings.js';
import {
  boolean,
  durationMs,
  facades,
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
import { webhookSettings } from './webhook-settings.js';

export const JWT_SECRET_CHARS_MIN = 32;

/** A bounded duration loses its unit, which `.env.example` shows. */
const upToADayMs = durationMs
  .pipe(
    z
      .int()
      .min(1_000)
      .max(24 * 3_600_000),
  )
  .meta({ unit: 'ms' });

/**
 * Every setting, by the name of its environment variable: the only definition of its unit, bounds and default.
 * `.env.example` is generated from this table (`voidrunner settings`).
 */
export const settingsSchema = z.object({
  SERVER_HOST: z.string().default('127.0.0.1').describe('address on which the API listens'),
  SERVER_PORT: integer(0, 65_535).default(8080).describe('port on which the API listens; 0: any free port'),
  SERVER_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('production: development secrets and an empty DB_PASSWORD are refused'),
  SERVER_CONNECTIONS_MAX: integer(1, 1_000_000)
    .default(8_192)
    .describe('maximum number of open connections per API process; further connections are reset'),
  SERVER_CONNECTIONS_PER_ADDRESS: integer(1, 1_000_000)
    .default(1_024)
    .describe('maximum number of open connections from one address (IPv6: one /64); trusted proxies are exempt'),
  SERVER_TRUST_PROXY: networks.describe(
    'comma-separated networks of proxies whose X-Forwarded-* is trusted, such as 10.0.0.0/8 or loopback; empty: none',
  ),
  SERVER_SHUTDOWN_TIMEOUT: durationMs.default(10_000).describe('how long shutdown waits for open requests'),
  SERVER_OWN_WRITES_TIMEOUT: durationMs
    .default(1_000)
    .describe('how long the response to a write waits for the read models to include it'),
  FACADES: facades.describe(
    'comma-separated services whose clients the API also serves: piston, judge0 (docs/migrating.md); empty: none',
  ),
  VOIDRUNNER_ROLES: roles.describe(
    'comma-separated roles of this process: api, relay, projector, orchestrator, webhooks, sealer, worker; empty: all',
  ),
  EMBEDDED_WORKERS: boolean.default(true).describe('false: the default roles do not include worker'),
  METRICS_PORT: integer(0, 65_535)
    .default(9464)
    .describe('separate port for /metrics (Prometheus text) and /ready of this process; 0: none'),

  DB_HOST: z.string().default('127.0.0.1').describe('host of PostgreSQL, version 15 or newer'),
  DB_PORT: integer(1, 65_535).default(5432),
  DB_NAME: z.string().default('voidrunner'),
  DB_USER: z
    .string()
    .default('voidrunner_app')
    .describe('database role of the service; it cannot change recorded events'),
  DB_PASSWORD: z.string().default(''),
  DB_OWNER_USER: z
    .string()
    .default('voidrunner_owner')
    .describe('database role that runs migrations; the service never uses it'),
  DB_OWNER_PASSWORD: z.string().default(''),
  DB_SSL_MODE: z.enum(['disable', 'require', 'verify-full']).default('disable'),
  DB_POOL_SIZE: integer(2, 200).default(10).describe('maximum number of pooled database connections per process'),

  REDIS_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('host of Redis, version 7 or newer, with maxmemory-policy noeviction'),
  REDIS_PORT: integer(1, 65_535).default(6379),
  REDIS_PASSWORD: z.string().default(''),
  REDIS_DB: integer(0, 15).default(0),

  NATS_URL: z.string().default('nats://127.0.0.1:4222').describe('URL of NATS, version 2.9 or newer, with JetStream'),
  NATS_USER: z.string().default(''),
  NATS_PASSWORD: z.string().default(''),
  NATS_STREAM_PREFIX: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/)
    .default('VOIDRUNNER')
    .describe('prefix of the streams PREFIX_EVENTS, PREFIX_DLQ and PREFIX_OUTPUT and, in lower case, of all subjects'),
  NATS_EVENTS_MAX_BYTES: integer(1_048_576, Number.MAX_SAFE_INTEGER)
    .default(1024 ** 3)
    .describe(
      'maximum bytes of the events stream; above it, JetStream discards the oldest events (Postgres keeps all)',
    ),
  NATS_OUTPUT_MAX_BYTES: integer(1_048_576, Number.MAX_SAFE_INTEGER)
    .default(256 * 1024 ** 2)
    .describe('maximum bytes of NATS server memory for the live output of running executions'),

  QUEUE_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
    .default('voidrunner')
    .describe('prefix of Redis keys and of the worker ids in container labels'),
  QUEUE_LEASE_DURATION: durationMs
    .default(15_000)
    .describe('how long a worker’s lease on an attempt lasts without renewal; after that the attempt is lost'),
  QUEUE_AGEING_INTERVAL: durationMs
    .default(60_000)
    .describe('waiting time after which a job moves up one priority band'),
  QUEUE_RECONCILE_INTERVAL: durationMs
    .default(5_000)
    .describe('how often active executions are compared with the queue in Redis'),

  EXTERNAL_REPORT_TIMEOUT: durationMs
    .pipe(
      z
        .int()
        .min(1_000)
        .max(30 * 24 * 3_600_000),
    )
    .meta({ unit: 'ms' })
    .default(24 * 3_600_000)
    .describe('an execution for an external worker expires if it gets no report for this long; 1s to 720h'),

  WORKER_POOL_SIZE: integer(1, 256).default(4).describe('maximum number of concurrent runs per worker process'),
  WORKER_MAX_USER_CONCURRENT_TASKS: integer(1, 1_000)
    .default(3)
    .describe(
      'concurrent runs per user over all workers; set it below their total slots, or one user can block all others',
    ),
  WORKER_HEARTBEAT_INTERVAL: durationMs.default(3_000).describe('how often a worker sends a heartbeat'),
  WORKER_SHUTDOWN_TIMEOUT: durationMs
    .default(30_000)
    .describe('how long shutdown waits for runs; then the worker releases their jobs to other workers'),

  DOCKER_ENDPOINT: z
    .string()
    .regex(/^(unix:\/\/\/|tcp:\/\/|http:\/\/).+/, 'must be unix:///path or tcp://host:port')
    .default('unix:///var/run/docker.sock'),
  RUNTIMES_DIR: z
    .string()
    .default('runtimes')
    .describe('folder of the declared runtimes, the same in every process; relative to the checkout'),
  EXECUTOR_RUNTIME: optionalText.describe(
    'OCI runtime, such as crun or runsc; empty: the default of the container engine',
  ),
  EXECUTOR_SECCOMP_PROFILE: z
    .string()
    .default('seccomp/cell.json')
    .describe('path of the seccomp profile, relative to the checkout'),
  EXECUTOR_ISOLATION: z
    .enum(['nested', 'single'])
    .default('nested')
    .describe(
      'nested: a container also serves later runs of the same user, each in its own namespaces; single: one run',
    ),
  EXECUTOR_ISOLATION_REQUIRED: z
    .enum(['none', 'nested'])
    .default('none')
    .describe('if the host refuses nested namespaces: nested: nothing runs; none: each run gets its own container'),
  EXECUTOR_PRELOAD: z
    .enum(['on', 'off'])
    .default('on')
    .describe('on: containers start the interpreter of their runtime before their jobs, if it declares one'),
  EXECUTOR_POOL_SIZE: integer(0, 16)
    .default(2)
    .describe('containers kept ready per image; 0: containers are created on demand'),
  EXECUTOR_CELLS_MAX: integer(1, 4_096)
    .default(64)
    .describe('maximum containers per worker process; idle containers are removed to make room for new ones'),
  EXECUTOR_CELL_JOBS: integer(1, 10_000)
    .default(500)
    .describe('maximum runs of its user that a container serves before it is replaced'),
  EXECUTOR_CELL_REST: durationMs
    .default(30_000)
    .describe('how long an idle container waits for the next run of its user before it is removed'),
  EXECUTOR_SUITE_TIMEOUT: upToADayMs
    .default(3_600_000)
    .describe('how long all tests of an execution may take together; then it ends with status timeout'),
  EXECUTOR_OUTPUT_BYTES_MAX: integer(1_024, 64 * 1024 ** 2)
    .default(1024 ** 2)
    .describe('maximum bytes kept of stdout, and of stderr; above it, the middle is left out'),
  EXECUTOR_FILES_MAX: integer(1, 64).default(64).describe('maximum files that a run may keep (input.outputs)'),
  EXECUTOR_FILES_BYTES_MAX: integer(1_024, 64 * 1024 ** 2)
    .default(16 * 1024 ** 2)
    .describe('maximum bytes of all files that a run may keep; larger files are skipped'),
  EXECUTOR_COMPILED_MB_MAX: integer(0, 65_536)
    .default(64)
    .describe('maximum MiB of compiled programs kept per user, for at most 7 days; 0: every run compiles'),
  EXECUTOR_MEMORY_MB_MAX: integer(16, 65_536).default(512).describe('maximum memory in MiB that a task may request'),
  EXECUTOR_CPUS_MAX: number(0.1, 64).default(1).describe('maximum CPUs that a task may request'),
  EXECUTOR_PIDS_MAX: integer(16, 4_096).default(256).describe('maximum processes and threads that a task may request'),
  EXECUTOR_TIMEOUT_MAX: upToADayMs
    .default(3_600_000)
    .describe('maximum timeout_seconds that a task may request; 1s to 24h'),

  JWT_SECRET_KEY: z
    .string()
    .default('')
    .describe('secret that signs access and refresh tokens, at least 32 characters; required in production'),
  JWT_SECRET_KEYS_ACCEPTED: secrets(JWT_SECRET_CHARS_MIN).describe(
    'comma-separated secrets whose tokens are also accepted while the secret is being replaced',
  ),
  JWT_ISSUER: z.string().default('voidrunner'),
  JWT_AUDIENCE: z.string().default('voidrunner-api'),
  JWT_ACCESS_TOKEN_DURATION: durationMs.default(15 * 60_000).describe('lifetime of an access token'),
  JWT_REFRESH_TOKEN_DURATION: durationMs.default(7 * 24 * 3_600_000).describe('lifetime of a refresh token'),
  JWT_REFRESH_TOKEN_GRACE: durationMs
    .pipe(z.int().max(60_000))
    .meta({ unit: 'ms' })
    .default(10_000)
    .describe('how long the last exchanged refresh token may be sent again (two tabs, a lost response); 1ms to 60s'),
  PAYLOAD_MASTER_KEY: secretBase64(32).describe(
    '32 bytes in base64; encrypts the data key of every user. If you lose it, all scripts, inputs and outputs are lost',
  ),
  PAYLOAD_MASTER_KEYS_ACCEPTED: secretsBase64(32).describe(
    'comma-separated master keys that are also accepted while the key is being replaced (voidrunner keys)',
  ),

  ...sealerSettings,

  STORAGE_QUOTA_MB: integer(0, 100_000_000)
    .default(1_024)
    .describe(
      'MiB of scripts, inputs, outputs and files that one user may store; each counts as at least 1 KiB; 0: no limit',
    ),
  RETENTION_RUNS: retention
    .default(30 * 86_400_000)
    .describe(
      'how long inputs, outputs and files of executions are kept, at least EXTERNAL_REPORT_TIMEOUT; 0: forever',
    ),
  RETENTION_DELETED_TASKS: retention
    .default(86_400_000)
    .describe('how long the scripts of a deleted task are kept; 0: forever'),

  ...webhookSettings,

  CORS_ALLOWED_ORIGINS: list.describe('comma-separated origins that browsers may call the API from; empty: none'),
  RATE_LIMIT_ENABLED: boolean.default(true),
  RATE_LIMIT_LOGIN_PER_ACCOUNT: integer(1, 1_000_000)
    .default(10)
    .describe('login attempts per minute to one account from one address'),
  RATE_LIMIT_LOGIN_EVERYWHERE: integer(1, 1_000_000)
    .default(30)
    .describe(
      'login attempts per minute to one account from all addresses; further ones are delayed by 2 s, not refused',
    ),
  RATE_LIMIT_LOGIN_PER_ADDRESS: integer(1, 1_000_000)
    .default(60)
    .describe('login attempts per minute from one address, to all accounts'),
  RATE_LIMIT_REGISTER_PER_ADDRESS: integer(1, 1_000_000)
    .default(30)
    .describe('registrations per minute from one address'),
  RATE_LIMIT_REFRESH: integer(1, 1_000_000).default(60).describe('token refreshes per minute from one address'),
  RATE_LIMIT_WRITES: integer(1, 1_000_000).default(600).describe('write requests per minute and user'),
  RATE_LIMIT_READS: integer(1, 1_000_000).default(6_000).describe('read requests per minute and user'),
  RATE_LIMIT_AT_ONCE: integer(1, 10_000)
    .default(32)
    .describe('concurrent requests of one user per API process; up to 2,000 more wait in a queue, for at most 20 s'),
  RATE_LIMIT_CONCURRENT: integer(1, 100_000)
    .default(100)
    .describe(
      'concurrent waiting and following requests of one user per API process; applies even if RATE_LIMIT_ENABLED=false',
    ),

  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  LOG_FORMAT: z.enum(['json', 'text']).default('json'),
  OTEL_SERVICE_NAME: z.string().default('voidrunner'),
  OTEL_EXPORTER_OTLP_ENDPOINT: optionalText.describe('base URL of an OTLP/HTTP receiver; empty: no export'),
  OTEL_TRACES_FILE: optionalText.describe('file to which spans are also appended, for `voidrunner trace`'),
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
  'SEALER_KEY',
  'SEALER_KEY_COMMAND',
];
