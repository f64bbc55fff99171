import type { HealthOptions } from './health.module.js';
import type { Probes, WorkersReport } from '../operations/health/health-probes.js';
import { Unavailable } from '../kernel/errors.js';
import type { WorkerHeartbeat } from '../queue/job-queue.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { Infrastructure } from './infrastructure.js';
import { VERSION } from './version.js';

/** A worker as its heartbeat describes it; written by Worker.heartbeat. */
interface ReportedWorker extends WorkerHeartbeat {
  readonly pool_size: number;
  readonly healthy: boolean;
  readonly successful: number;
  readonly failed: number;
  readonly total_ms: number;
}

/**
 * The API needs no Docker socket: the workers report whether their engines can run code.
 * Nothing here depends on the roles of this process, because an API without other roles still serves reads.
 */
export function healthProbes(infra: Infrastructure): HealthOptions {
  const { pool, redis, nats, eventsStream, queue } = infra;
  const workers = async () => (await queue.workers()) as readonly ReportedWorker[];
  return {
    version: VERSION,
    probes: {
      database: () => pool.query('select 1'),
      redis: () => redis.ping(),
      nats: async () => {
        const { healthy, detail } = nats.health();
        if (!healthy) throw new Unavailable('nats', detail);
        if (!(await eventsStream.info())) throw new Unavailable('nats', 'the events stream does not exist yet');
      },
      executor: async () => {
        if (!(await workers()).some(({ healthy }) => healthy)) throw new Unavailable('docker', 'no healthy engine');
      },
      workers: async () => {
        if ((await workers()).length === 0) throw new Unavailable('workers', 'no worker is alive');
      },
    },
    workers: async () => reportOf(await workers(), (await queue.stats()).waiting),
  };
}

/** The dependencies of this process's roles; its own engine, not that of any worker. */
export function processProbes(infra: Infrastructure, sandbox: Sandbox | null): Probes {
  const { database, redis, nats } = healthProbes(infra).probes as Required<Probes>;
  const roles = infra.config.VOIDRUNNER_ROLES;
  const hasAnyOf = (...needing: typeof roles): boolean => needing.some((role) => roles.includes(role));
  return {
    database,
    ...(hasAnyOf('api', 'orchestrator', 'worker') && { redis }),
    ...(hasAnyOf('api', 'relay', 'projector', 'orchestrator') && { nats }),
    ...(sandbox && {
      executor: async () => {
        const { healthy, detail } = await sandbox.health();
        if (!healthy) throw new Unavailable('docker', detail);
      },
    }),
  };
}

function reportOf(workers: readonly ReportedWorker[], queuedJobs: number): WorkersReport {
  const sum = (figure: (worker: ReportedWorker) => number): number =>
    workers.reduce((total, worker) => total + figure(worker), 0);
  const tasksSuccessful = sum(({ successful }) => successful);
  const tasksFailed = sum(({ failed }) => failed);
  const tasksProcessed = tasksSuccessful + tasksFailed;
  return {
    isRunning: workers.length > 0,
    isHealthy: workers.length > 0 && workers.every(({ healthy }) => healthy),
    poolSize: sum(({ pool_size }) => pool_size),
    activeWorkers: sum(({ running }) => running.length),
    unhealthyWorkers: sum(({ healthy, pool_size }) => (healthy ? 0 : pool_size)),
    tasksProcessed,
    tasksSuccessful,
    tasksFailed,
    averageTaskMs: tasksProcessed === 0 ? 0 : sum(({ total_ms }) => total_ms) / tasksProcessed,
    queuedJobs,
    processes: workers.length,
  };
}
