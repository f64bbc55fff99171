import { randomUUID } from 'node:crypto';

import type { SandboxJob } from '../../kernel/ports/sandbox.js';
import type { Log } from '../telemetry/log.js';
import { type Isolation, kindFor } from './cell-kind.js';
import type { CellPool } from './cell-pool.js';
import { CellRun, IsolationRefused } from './cell-run.js';

/** Whether this host lets a job have namespaces of its own: taken for granted until it refuses. */
export class HostIsolation {
  private allowed: Isolation = 'nested';
  private testing: Promise<void> | null = null;

  constructor(
    private readonly pool: CellPool,
    private readonly closing: AbortSignal,
    private readonly log: Log,
  ) {}

  get current(): Isolation {
    return this.allowed;
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
    const { signal: cancelled } = new AbortController();
    const { closing } = this;
    const limits = { outputBytesMax: 0, compileTimeoutMs: 0 };
    const run = new CellRun(cell, { job, ...limits, cancelled, closing, onOutput: undefined });
    try {
      await run.run();
    } catch (error) {
      if (!(error instanceof IsolationRefused)) throw error;
      this.log.error({ err: error }, 'this host refuses nested namespaces: every run gets a container of its own');
      this.allowed = 'plain';
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
