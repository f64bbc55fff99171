import { randomUUID } from 'node:crypto';

import type { SandboxJob } from './sandbox.js';
import type { Log } from '../platform/telemetry/log.js';
import { type Isolation, kindFor } from './cell-kind.js';
import type { CellPool } from './cell-pool.js';
import { CellRun, IsolationRefused } from './cell-run.js';

/** What refused may have been a want of something: so often a host is asked again. */
export const ISOLATION_RETEST_MS = 60_000;

/** Whether this host lets a job have namespaces of its own: taken for granted until it refuses. */
export class HostIsolation {
  private allowed: Isolation = 'nested';
  private testing: Promise<void> | null = null;
  private refusedAt = 0;
  private kernelMemory: boolean | null = null;

  constructor(
    private readonly pool: CellPool,
    private readonly closing: AbortSignal,
    private readonly log: Log,
    private readonly retestMs = ISOLATION_RETEST_MS,
  ) {}

  /** As the cell of the last test had it; null before one, and where nobody can tell. */
  get chargesKernelMemory(): boolean | null {
    return this.kernelMemory;
  }

  get current(): Isolation {
    return this.allowed;
  }

  /** Whether it has refused for so long that it is to be asked again. */
  get isDue(): boolean {
    return this.allowed === 'plain' && this.testing === null && performance.now() - this.refusedAt >= this.retestMs;
  }

  /** Runs a job of its own to find out; one test at a time, however many ask. @throws SandboxFailure if it could not */
  async test(cpus: number): Promise<Isolation> {
    this.testing ??= this.ask(cpus).finally(() => (this.testing = null));
    await this.testing;
    return this.allowed;
  }

  private async ask(cpus: number): Promise<void> {
    const job: SandboxJob = { ...PROBE, executionId: randomUUID(), userId: randomUUID() };
    const kind = kindFor(job.scriptType, job.limits, { isolation: 'nested', cpus });
    const cell = await this.pool.take(job.userId, kind);
    this.kernelMemory = cell.chargesKernelMemory;
    const { signal: cancelled } = new AbortController();
    const { closing } = this;
    const limits = { outputBytesMax: 0, compileTimeoutMs: 0 };
    const run = new CellRun(cell, { job, ...limits, cancelled, closing, onOutput: undefined });
    try {
      await run.run();
      if (this.allowed === 'plain') this.log.warn('this host allows nested namespaces again');
      this.allowed = 'nested';
    } catch (error) {
      if (!(error instanceof IsolationRefused)) throw error;
      if (this.allowed === 'nested') this.log.error({ err: error }, 'this host refuses nested namespaces');
      this.allowed = 'plain';
      this.refusedAt = performance.now();
    } finally {
      this.pool.give(cell, false);
    }
  }
}

const PROBE = {
  attempt: 1,
  scriptType: 'bash',
  script: Buffer.from('true'),
  input: {},
  limits: { memory_mb: 32, cpus: 0.5, pids: 16 },
  timeoutMs: 10_000,
} as const;
