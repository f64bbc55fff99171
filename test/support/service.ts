import { type Service, startService } from '../../src/composition/service.js';
import { type Config, loadConfig } from '../../src/config/load-config.js';
import { silentLog } from '../../src/platform/telemetry/log.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { testNamespace } from './namespace.js';
import { deleteStreams, uniquePrefix } from './nats.js';
import { expectNothingLeft } from './nothing-left.js';

/** The real thing, on a database, streams, keys and containers of its own. */
export interface TestService {
  readonly database: TestDatabase;
  /** What every process of it is started with. */
  readonly env: NodeJS.ProcessEnv;
  readonly config: Config;
  /** The processes that run now, the first started first. */
  readonly processes: readonly Service[];
  /** The base URL of the first process with the API role. */
  readonly url: string;
  /** Starts one more process, with roles of its own. */
  start(overrides?: NodeJS.ProcessEnv): Promise<Service>;
  /** Stops one process, as SIGTERM would. */
  stop(service: Service): Promise<void>;
  /** Stops what still runs and fails where anything was left behind. */
  close(): Promise<void>;
}

/** With one process started. @param overrides settings by their environment names */
export async function startTestService(overrides: NodeJS.ProcessEnv = {}): Promise<TestService> {
  const service = await prepareTestService(overrides);
  await service.start();
  return service;
}

/** With everything a process needs, and none started yet. */
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
    // The server sets aside what a stream may take: many at once would not fit.
    NATS_EVENTS_MAX_BYTES: String(16 * 1024 ** 2),
    NATS_OUTPUT_MAX_BYTES: String(8 * 1024 ** 2),
    QUEUE_NAMESPACE: testNamespace(),
    WORKER_POOL_SIZE: '2',
    // Nobody waits for containers of the next test, nor for those of the last one.
    EXECUTOR_POOL_SIZE: '0',
    EXECUTOR_CELL_REST: '500ms',
    // On a busy machine a second is soon over; that reads show own writes must not depend on it.
    SERVER_OWN_WRITES_TIMEOUT: '15s',
    LOG_LEVEL: 'silent',
    OTEL_TRACES_FILE: '',
    RATE_LIMIT_ENABLED: 'false',
    ...overrides,
  };
}
