import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

import type { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';

import type { Config } from '../config/load-config.js';
import { PostgresCompiledPrograms } from '../platform/payloads/postgres-compiled-programs.js';
import { PostgresWorkerSessions, WorkerSession } from '../platform/postgres/worker-session.js';
import type { Log } from '../platform/telemetry/log.js';
import type { CompiledPrograms } from '../sandbox/compiled-programs.js';
import type { Runtimes } from '../runtimes/runtimes.js';
import { DockerSandbox } from '../sandbox/docker-sandbox.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { readSeccompProfile } from '../sandbox/seccomp-profile.js';
import { AttemptRunner } from '../worker/attempt-runner.js';
import { CHECKER_BOUNDS, type CheckerBounds } from '../worker/judging/checker.js';
import { LivePublisher } from '../worker/live-publisher.js';
import { OrphanSweep } from '../worker/orphan-sweep.js';
import { RunWatch } from '../worker/run-watch.js';
import { Worker } from '../worker/worker.js';
import type { Infrastructure } from './infrastructure.js';
import { postgresOptions } from './postgres-options.js';
import type { RoleProcess } from './role-process.js';
import { masterKeysOf } from './secrets.js';

/** `<namespace>.<host>-<pid>-<random>`. The namespace separates the sweeps of installations that share an engine. */
export function newWorkerId(namespace: string): string {
  const host = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .slice(0, 32);
  return `${namespace}.${host}-${process.pid}-${randomBytes(4).toString('hex')}`;
}

export async function createSandbox(
  config: Config,
  log: Log,
  workerId: string,
  runtimes: Runtimes,
  programs?: CompiledPrograms,
): Promise<DockerSandbox> {
  return new DockerSandbox({
    endpoint: config.DOCKER_ENDPOINT,
    workerId,
    outputBytesMax: config.EXECUTOR_OUTPUT_BYTES_MAX,
    filesMax: { count: config.EXECUTOR_FILES_MAX, bytes: config.EXECUTOR_FILES_BYTES_MAX },
    isolation: config.EXECUTOR_ISOLATION,
    isNestingRequired: config.EXECUTOR_ISOLATION_REQUIRED === 'nested',
    preload: config.EXECUTOR_PRELOAD === 'on',
    poolSize: config.EXECUTOR_POOL_SIZE,
    cellsMax: config.EXECUTOR_CELLS_MAX,
    cellJobsMax: config.EXECUTOR_CELL_JOBS,
    cellRestMs: config.EXECUTOR_CELL_REST,
    runtimes,
    seccompProfile: await readSeccompProfile(config.EXECUTOR_SECCOMP_PROFILE),
    ...(programs && { programs }),
    ...(config.EXECUTOR_RUNTIME !== undefined && { runtime: config.EXECUTOR_RUNTIME }),
    log,
  });
}

/** The parts of the worker role that metrics and readiness read. */
export interface WorkerParts {
  readonly id: string;
  readonly sandbox: Sandbox;
  readonly live: LivePublisher;
}

function compiledPrograms(config: Config, pool: Pool): CompiledPrograms | undefined {
  const ownerBytesMax = config.EXECUTOR_COMPILED_MB_MAX * 1024 ** 2;
  if (ownerBytesMax === 0) return undefined;
  return new PostgresCompiledPrograms({ pool, masterKeys: masterKeysOf(config), ownerBytesMax });
}

export async function createWorkerParts(infra: Infrastructure): Promise<WorkerParts> {
  const { config, log, pool, runtimes, liveOutput } = infra;
  const id = newWorkerId(config.QUEUE_NAMESPACE);
  const programs = compiledPrograms(config, pool);
  const sandbox = await createSandbox(config, log, id, runtimes, programs);
  return { id, sandbox, live: new LivePublisher(liveOutput, log) };
}

/** A checker may use no more than any other program. */
const checkerBoundsOf = (config: Config): CheckerBounds => ({
  limits: {
    memory_mb: Math.min(CHECKER_BOUNDS.limits.memory_mb, config.EXECUTOR_MEMORY_MB_MAX),
    cpus: Math.min(CHECKER_BOUNDS.limits.cpus, config.EXECUTOR_CPUS_MAX),
    pids: Math.min(CHECKER_BOUNDS.limits.pids, config.EXECUTOR_PIDS_MAX),
  },
  timeoutMs: Math.min(CHECKER_BOUNDS.timeoutMs, config.EXECUTOR_TIMEOUT_MAX),
});

/** Runs jobs from the queue in containers. */
export function createWorkerRole(
  infra: Infrastructure,
  commands: CommandBus,
  { id: workerId, sandbox, live }: WorkerParts,
): RoleProcess {
  const { config, log, pool, queue, payloads, runtimes, store, versions, liveInput, observations } = infra;
  const leaseMs = config.QUEUE_LEASE_DURATION;
  const worker = new Worker(
    {
      workerId,
      slots: config.WORKER_POOL_SIZE,
      leaseMs,
      heartbeatMs: config.WORKER_HEARTBEAT_INTERVAL,
      shutdownMs: config.WORKER_SHUTDOWN_TIMEOUT,
    },
    {
      queue,
      sandbox,
      attempts: new AttemptRunner({
        workerId,
        commands,
        queue,
        payloads,
        runtimes,
        sandbox,
        live,
        liveInput,
        suiteTimeoutMs: config.EXECUTOR_SUITE_TIMEOUT,
        checkerBounds: checkerBoundsOf(config),
        observed: observations,
      }),
      watch: new RunWatch(store, versions),
      orphans: new OrphanSweep(sandbox, queue, new PostgresWorkerSessions(pool), log, leaseMs),
      session: new WorkerSession({ workerId, postgres: postgresOptions(config, 'worker session'), log }),
      log,
    },
  );
  return { name: 'worker', start: () => worker.start(), stop: () => worker.stop() };
}
