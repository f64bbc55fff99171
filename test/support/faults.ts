import type { CliContext } from '../../src/cli/cli-context.js';
import { examine } from '../../src/cli/examination.js';
import { createEventCatalog } from '../../src/composition/event-catalog.js';
import { postgresOptions as settingsOf } from '../../src/composition/postgres-options.js';
import type { Config } from '../../src/config/load-config.js';
import { PostgresEventStore } from '../../src/event-sourcing/event-store/postgres-event-store.js';
import { delay } from '../../src/platform/async/delay.js';
import { ignoreErrors } from '../../src/platform/async/ignore-errors.js';
import { createClient, createPool } from '../../src/platform/postgres/pool.js';
import { closeRedis, createRedis } from '../../src/platform/redis/create-redis.js';
import { silentLog } from '../../src/platform/telemetry/log.js';
import type { JobQueue } from '../../src/queue/job-queue.js';
import { RedisJobQueue } from '../../src/queue/redis-job-queue.js';
import { LABEL_MANAGED, LABEL_WORKER, LAUNCHER } from '../../src/sandbox/container-spec.js';
import { connectEngine } from '../../src/sandbox/engine.js';
import type { ExecutionView } from '../../src/tasks/api/execution-schemas.js';
import type { ExecutionEvent } from '../../src/tasks/domain/execution-events.js';
import { isTerminal } from '../../src/tasks/domain/lifecycle-invariant.js';
import type { ApiClient } from './api-client.js';
import { postgresOptions } from './database.js';
import { dockerEndpoint } from './docker.js';
import { eventually } from './eventually.js';
import type { TestService } from './service.js';

/** Losses are noticed within seconds instead of half a minute. */
export const QUICK = {
  QUEUE_LEASE_DURATION: '1500ms',
  WORKER_HEARTBEAT_INTERVAL: '300ms',
  QUEUE_RECONCILE_INTERVAL: '300ms',
  SERVER_OWN_WRITES_TIMEOUT: '1s',
} as const;

const VERIFY_WAIT_SECONDS = 30;

/** Opens the log as the command line does, independent of the service's processes. */
async function withLogOf<T>(config: Config, work: (context: CliContext) => Promise<T>): Promise<T> {
  const catalog = createEventCatalog();
  const postgres = settingsOf(config, 'test');
  const pool = createPool({ ...postgres, size: 2 });
  const store = new PostgresEventStore({ postgres, pool, catalog, log: silentLog });
  try {
    return await work({ config, log: silentLog, catalog, pool, store });
  } finally {
    await store.close();
    await pool.end();
  }
}

/**
 * Checks the state after the faults: every execution has ended exactly once, the log is complete, all derived data
 * matches it, and no program or container is left behind.
 */
export async function expectHealed(service: TestService): Promise<void> {
  await expectOneEndPerRun(service);
  const { lagging, reports } = await withLogOf(service.config, (context) =>
    examine(context, { wait: VERIFY_WAIT_SECONDS, nats: true }),
  );
  expect(reports.flatMap(({ check, faults }) => faults.map((fault) => `${check}: ${fault}`))).toEqual([]);
  expect(lagging).toBe(false);
  await expectNoContainers(service);
  await withQueueOf(service.config, (queue) =>
    eventually(async () => expect(await queue.stats()).toMatchObject(EMPTY_QUEUE)),
  );
}

async function withQueueOf<T>(config: Config, work: (queue: JobQueue) => Promise<T>): Promise<T> {
  const { REDIS_HOST: host, REDIS_PORT: port, REDIS_PASSWORD: password, REDIS_DB: db } = config;
  const redis = createRedis({ host, port, password, db, name: 'test', log: silentLog });
  const queue = new RedisJobQueue({
    redis,
    namespace: config.QUEUE_NAMESPACE,
    userConcurrencyMax: config.WORKER_MAX_USER_CONCURRENT_TASKS,
    ageingIntervalMs: config.QUEUE_AGEING_INTERVAL,
    log: silentLog,
  });
  try {
    return await work(queue);
  } finally {
    await queue.close();
    await closeRedis(redis);
  }
}

export const EMPTY_QUEUE = { waiting: 0, delayed: 0, leased: 0 } as const;

/** The queue of a service that runs inside the test process. */
export const queueOf = (service: TestService): JobQueue => {
  const [first] = service.processes;
  if (!first) throw new Error('no process runs here');
  return first.infra.queue;
};

async function expectOneEndPerRun({ database }: TestService): Promise<void> {
  const { rows } = await database.ownerPool.query<{ stream_id: string; type: ExecutionEvent['type'] }>(
    "select stream_id, type from es.events where stream_type = 'execution' order by position",
  );
  const balance = new Map<string, number>();
  for (const { stream_id, type } of rows) {
    const change = type === 'ExecutionRequested' || type === 'ExecutionRedriven' ? 1 : isTerminal(type) ? -1 : 0;
    balance.set(stream_id, (balance.get(stream_id) ?? 0) + change);
  }
  expect([...balance].filter(([, open]) => open !== 0)).toEqual([]);
}

/** The names of all containers of this service's workers, read from the engine. */
export async function containersOf({ config }: TestService): Promise<string[]> {
  const containers = await connectEngine(dockerEndpoint).listContainers({
    all: true,
    filters: { label: [`${LABEL_MANAGED}=1`] },
  });
  return containers
    .filter(({ Labels }) => Labels[LABEL_WORKER]?.startsWith(`${config.QUEUE_NAMESPACE}.`))
    .map(({ Names }) => Names[0]!.slice(1));
}

/** Waits, because an end is reported before the container is removed. */
export const expectNoContainers = (service: TestService): Promise<void> =>
  eventually(async () => expect(await containersOf(service)).toEqual([]));

/** The command lines of all processes in this service's containers, except the launchers. */
export async function programsOf(service: TestService): Promise<string[]> {
  const engine = connectEngine(dockerEndpoint);
  const lists = await Promise.all(
    (await containersOf(service)).map(async (name) => {
      const top = engine.getContainer(name).top({ ps_args: '-eo pid,args' }) as Promise<{ Processes: string[][] }>;
      const found = await ignoreErrors(top, 'not started yet, or already removed');
      return found?.Processes.map((columns) => columns.at(-1)!) ?? [];
    }),
  );
  return lists.flat().filter((command) => !command.startsWith(LAUNCHER));
}

/** Scripts that sleep, without the supervisor of their container. */
export const userPrograms = async (service: TestService): Promise<string[]> =>
  (await programsOf(service)).filter((command) => command.startsWith('sleep '));

/** Waits until at least this many user programs run, not only their containers. */
export const programsRun = (service: TestService, countMin: number): Promise<void> =>
  eventually(
    async () => {
      const programs = await userPrograms(service);
      if (programs.length >= countMin) return;
      const known = { programs, containers: await containersOf(service), runs: await latestOf(service) };
      throw new Error(`no ${countMin} programs run: ${JSON.stringify(known)}`);
    },
    { timeoutMs: 60_000 },
  );

/** The last event of each execution, its time, and the orchestrator's position: shows why nothing runs. */
async function latestOf({ database }: TestService): Promise<unknown> {
  const { rows } = await database.ownerPool.query(`
    select distinct on (stream_id) type, position::int, recorded_at, now() as asked_at,
      (select position::int from read.checkpoints where subscription = 'orchestrator') as orchestrated
    from es.events where stream_type = 'execution' order by stream_id, version desc`);
  return rows;
}

export const noProgramRuns = (service: TestService): Promise<void> =>
  eventually(async () => expect(await userPrograms(service)).toEqual([]), { timeoutMs: 20_000 });

export interface HistoryEvent {
  readonly type: ExecutionEvent['type'];
  readonly version: number;
  readonly time: string;
  readonly data: Record<string, unknown>;
}

export async function historyOf(client: ApiClient, executionId: string): Promise<HistoryEvent[]> {
  const { events } = await client.ok<{ events: HistoryEvent[] }>('GET', `/executions/${executionId}/events`);
  return events;
}

export const typesOf = async (client: ApiClient, executionId: string): Promise<string[]> =>
  (await historyOf(client, executionId)).map(({ type }) => type);

export const isRunning = ({ status }: ExecutionView): boolean => status === 'running';

/** Starts concurrent executions of one task. Each prints its own word, so that swapped outputs are detected. */
export async function startRuns(
  client: ApiClient,
  count: number,
  options: { seconds: number; task?: Record<string, unknown> },
): Promise<ExecutionView[]> {
  const task = await client.createTask({
    script_type: 'bash',
    script_content: `sleep ${options.seconds}; echo "word $1"`,
    max_parallel: 100,
    ...options.task,
  });
  const numbers = Array.from({ length: count }, (_, number) => number);
  return Promise.all(numbers.map((number) => client.start(task.id, { input: { args: [String(number)] } })));
}

/** Waits until executions that `startRuns` started have ended, and checks that none was disturbed. */
export async function expectUndisturbed(client: ApiClient, runs: readonly ExecutionView[]): Promise<void> {
  const ends = await Promise.all(runs.map(({ id }) => client.follow(id)));
  expect(ends.map(({ status, attempt, stdout }) => ({ status, attempt, stdout }))).toEqual(
    runs.map((_, number) => ({ status: 'completed', attempt: 1, stdout: `word ${number}\n` })),
  );
}

/** Waits until /ready has the wished status and failing checks. */
export function readyWhere(service: TestService, wished: { status: number; notReady: string[] }): Promise<void> {
  return eventually(
    async () => {
      const response = await fetch(`${service.url}/ready`);
      const { checks } = (await response.json()) as { checks: Record<string, string> };
      const notReady = Object.keys(checks).filter((check) => checks[check] !== 'ready');
      expect({ status: response.status, notReady }).toEqual(wished);
    },
    { timeoutMs: 20_000, intervalMs: 50 },
  );
}

/** Ends all of the service's connections, like a restart of Postgres. @returns their number */
export async function cutFromPostgres({ database }: TestService): Promise<number> {
  const app = createClient(postgresOptions('app'));
  await app.connect();
  try {
    const sql = 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = current_user';
    return (await app.query(sql, [database.name])).rowCount ?? 0;
  } finally {
    await app.end();
  }
}

/** Sends commands in a loop, several at a time, until stopped. Keeps all responses for the caller to check. */
export class CommandLoad {
  readonly created: string[] = [];
  readonly refusals: { readonly status: number; readonly retryAfter: string | null }[] = [];
  private stopped = false;
  private readonly loops: Promise<unknown>;

  constructor(
    private readonly client: ApiClient,
    callers = 4,
  ) {
    this.loops = Promise.all(Array.from({ length: callers }, () => this.loop()));
  }

  /** Resolves when this many more have been acknowledged. */
  async more(count: number): Promise<void> {
    const wanted = this.created.length + count;
    await eventually(() => expect(this.created.length).toBeGreaterThanOrEqual(wanted), { timeoutMs: 30_000 });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.loops;
  }

  private async loop(): Promise<void> {
    const body = { name: 'load', script_type: 'bash', script_content: 'true' };
    while (!this.stopped) {
      const answer = await this.client.request<{ id: string }>('POST', '/tasks', body, { prefer: 'respond-async' });
      if (answer.status === 201) this.created.push(answer.body.id);
      else {
        this.refusals.push({ status: answer.status, retryAfter: answer.headers.get('retry-after') });
        // A well-behaved client waits before it retries.
        await delay(10);
      }
    }
  }
}
