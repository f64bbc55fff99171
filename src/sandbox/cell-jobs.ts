import { ignoreErrors } from '../platform/async/ignore-errors.js';
import type { Log } from '../platform/telemetry/log.js';
import type { CellJob } from './cell-job.js';
import type { CellKind } from './cell-kind.js';
import type { CellPool } from './cell-pool.js';
import { CellRun, type CellRunOptions } from './cell-run.js';
import type { CpuPlacement } from './cpu-placement.js';
import { engineStatus } from './engine.js';
import { warnOfPreload } from './preload-findings.js';
import type { RuntimesOnEngine } from './runtimes-on-engine.js';
import { SandboxFailure, type SandboxOutcome } from './sandbox.js';

/** Where and for whom a job runs. */
export interface CellJobPlace {
  readonly userId: string;
  readonly kind: CellKind;
  /** CPUs of the host. */
  readonly hostCpus: number;
}

export type CellJobOptions = Omit<CellRunOptions, 'job' | 'cpuFirst'>;

/** Runs each job in a cell of the pool. */
export class CellJobs {
  constructor(
    private readonly parts: {
      readonly pool: CellPool;
      readonly cpus: CpuPlacement;
      readonly runtimes: RuntimesOnEngine;
      readonly log: Log;
      /** Jobs of a new cell before its interpreter is started. */
      readonly preloadAfterJobs: number;
    },
  ) {}

  /** @returns null if it was cancelled before it started. @throws SandboxFailure */
  async run(job: CellJob, place: CellJobPlace, options: CellJobOptions): Promise<SandboxOutcome | null> {
    const { pool, cpus, log, preloadAfterJobs } = this.parts;
    const { userId, kind, hostCpus } = place;
    if (options.cancelled.aborted) return null;
    // Also between a compiler and its program.
    if (options.closing.aborted) throw new SandboxFailure('the sandbox is closed', false);
    const cell = await pool.take(userId, kind, job.base?.content).catch((error: unknown) => this.noCell(error, kind));
    if (options.cancelled.aborted) {
      pool.release(cell, true);
      return null;
    }
    const cpu = cpus.take(kind.cpus, hostCpus);
    const run = new CellRun(cell, { ...options, job, cpuFirst: cpu.first });
    try {
      return await run.run();
    } finally {
      cpu.release();
      if (run.preload === 'lost') warnOfPreload(log, cell, 'died');
      const reusable = run.reusable && kind.isolation === 'nested';
      if (reusable && cell.jobs >= preloadAfterJobs)
        void ignoreErrors(cell.startInterpreter(), 'the next job reports it');
      pool.release(cell, reusable);
    }
  }

  /** The image may have been removed since the engine was asked for it. */
  private noCell(error: unknown, { image }: CellKind): never {
    if (error instanceof SandboxFailure && engineStatus(error.cause) === 404) this.parts.runtimes.forget(image);
    throw error;
  }
}
