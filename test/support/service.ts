import { type Service, startService } from '../../src/composition/service.js';
import { type Config, loadConfig } from '../../src/config/load-config.js';
import { silentLog } from '../../src/platform/telemetry/log.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { testNamespace } from './namespace.js';
import { deleteStreams, uniquePrefix } from './nats.js';
import { expectNothingLeft } from './nothing-left.js';

/** The real service, with its own database, streams, keys and containers. */
export interface TestService {
  readonly database: TestDatabase;
  /** The environment of all its processes. */
  readonly env: NodeJS.ProcessEnv;
  readonly config: Config;
  /** The running processes, in the order of their start. */
  readonly processes: readonly Service[];
  /** The base URL of the first process with the API role. */
  readonly url: string;
  /** Starts another process, with its own roles. */
  start(overrides?: NodeJS.ProcessEnv): Promise<Service>;
  /** Stops one process, like SIGTERM. */
  stop(service: Service): Promise<void>;
  /** Stops the running processes, and fails if anything is left behind. */
  close(): Promise<void>;
}

/** Prepares a service and starts one process. @param overrides settings by their environment names */
export async function startTestService(overrides: NodeJS.ProcessEnv = {}): Promise<TestService> {
  const service = await prepareTestService(overrides);
  await service.start();
  return service;
}

/** Prepares everything that a process needs, and starts none. */
export async function prepareTestService(overrides: NodeJS.ProcessEnv = {}): Promise<TestService> {
  const database = await createTestDatabase();
  const env = testEnvironment(database, overrides);
  const config = loadConfig(env);
  const processes: Service[] = [];
  const start = async (more: NodeJS.ProcessEnv = {}): Promise<Service> => {
    const service = await startService(loadConfig({ ...env, ...more }), silentLog);
    processes.push(service);
    return service;
  };
  const stop = async (service: Service): Promise<void> => {
    processes.splice(processes.indexOf(service), 1);
    await service.stop();
  };
  return {
    database,
    env,
    config,
    processes,
    get url() {
      const url = processes.find((service) => service.url !== null)?.url;
      if (!url) throw new Error('no process has the API role');
      return url;
    },
    start,
    stop,
    async close() {
      for (const service of processes.slice()) await stop(service);
      await deleteStreams(config.NATS_STREAM_PREFIX);
      await database.drop();
      await expectNothingLeft(config);
    },
  };
}

function testEnvironment(database: TestDatabase, overrides: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...process.env,
    SERVER_PORT: '0',
    METRICS_PORT: '0',
    SERVER_ENV: 'test',
    DB_NAME: database.name,
    NATS_STREAM_PREFIX: uniquePrefix(),
    // The server reserves the maximum size of each stream: many large ones would not fit.
    NATS_EVENTS_MAX_BYTES: String(16 * 1024 ** 2),
    NATS_OUTPUT_MAX_BYTES: String(8 * 1024 ** 2),
    QUEUE_NAMESPACE: testNamespace(),
    WORKER_POOL_SIZE: '2',
    // No warm containers: tests do not wait for their creation or removal.
    EXECUTOR_POOL_SIZE: '0',
    EXECUTOR_CELL_REST: '500ms',
    // One second is too short on a busy machine: tests rely on reading their own writes.
    SERVER_OWN_WRITES_TIMEOUT: '15s',
    LOG_LEVEL: 'silent',
    OTEL_TRACES_FILE: '',
    RATE_LIMIT_ENABLED: 'false',
    ...overrides,
  };
}
