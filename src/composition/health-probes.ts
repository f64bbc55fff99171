import { Unavailable } from '../kernel/errors.js';
import type { Probes, WorkersReport } from '../operations/health/health-probes.js';
import type { WorkerFigures, WorkerHeartbeat } from '../queue/job-queue.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { HealthOptions } from './health.module.js';
import type { Infrastructure } from './infrastructure.js';
import { VERSION } from './version.js';

/**
 * The API needs no Docker socket: the workers report whether their engines can run code.
 * Nothing here depends on the roles of this process, because an API without other roles still serves reads.
 */
export function healthProbes(infra: Infrastructure): HealthOptions {
  const { pool, redis, nats, eventsStream, queue } = infra;
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
        if (!(await queue.workers()).some(({ figures }) => figures?.healthy))
          throw new Unavailable('docker', 'no healthy engine');
      },
      workers: async () => {
        if ((await queue.workers()).length === 0) throw new Unavailable('workers', 'no worker is alive');
      },
    },
    workers: async () => reportOf(await queue.workers(), (await queue.stats()).waiting),
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

const NO_FIGURES: WorkerFigures = { slots: 0, healthy: false, succeeded: 0, failed: 0, totalMs: 0 };

function reportOf(workers: readonly WorkerHeartbeat[], queuedJobs: number): WorkersReport {
  const all = workers.map(({ figures = NO_FIGURES }) => figures);
  const sum = (figure: (figures: WorkerFigures) => number): number =>
    all.reduce((total, figures) => total + figure(figures), 0);
  const tasksSuccessful = sum(({ succeeded }) => succeeded);
  const tasksFailed = sum(({ failed }) => failed);
  const tasksProcessed = tasksSuccessful + tasksFailed;
  return {
    isRunning: workers.length > 0,
    isHealthy: all.length > 0 && all.every(({ healthy }) => healthy),
    poolSize: sum(({ slots }) => slots),
    activeWorkers: workers.reduce((total, { running }) => total + running.length, 0),
    unhealthyWorkers: sum(({ healthy, slots }) => (healthy ? 0 : slots)),
    tasksProcessed,
    tasksSuccessful,
    tasksFailed,
    averageTaskMs: tasksProcessed === 0 ? 0 : sum(({ totalMs }) => totalMs) / tasksProcessed,
    queuedJobs,
    processes: workers.length,
  };
}
