import type { Log } from '../platform/telemetry/log.js';
import type { Isolation } from './cell-kind.js';
import type { CellPool } from './cell-pool.js';
import { IsolationRefused } from './cell-run.js';
import { inProbe, type ProbedRuntime } from './probe.js';
import type { SandboxLimits } from './sandbox.js';

/** Interval between retests: the refusal may have had a temporary cause, such as a lack of memory. */
export const ISOLATION_RETEST_MS = 60_000;

/** Whether this host allows nested namespaces for a job: assumed until it refuses. */
export class HostIsolation {
  private allowed: Isolation = 'nested';
  private testing: Promise<void> | null = null;
  private refusedAt = 0;
  private kernelMemory: boolean | null = null;

  constructor(
    private readonly pool: CellPool,
    /** Any one that can be run. @throws SandboxFailure if there is none */
    private readonly anyRuntime: () => Promise<ProbedRuntime>,
    private readonly closing: AbortSignal,
    private readonly log: Log,
    private readonly retestMs = ISOLATION_RETEST_MS,
  ) {}

  /** Whether the cell of the last test was charged for kernel memory; null before the first test, or if unknown. */
  get chargesKernelMemory(): boolean | null {
    return this.kernelMemory;
  }

  get current(): Isolation {
    return this.allowed;
  }

  /** Whether a retest is due after a refusal. */
  get isDue(): boolean {
    return this.allowed === 'plain' && this.testing === null && performance.now() - this.refusedAt >= this.retestMs;
  }

  /** Runs a probe job. Concurrent callers share one test. @throws SandboxFailure if the probe could not run */
  async test(cpus: number): Promise<Isolation> {
    this.testing ??= this.probe(cpus).finally(() => (this.testing = null));
    await this.testing;
    return this.allowed;
  }

  private async probe(cpus: number): Promise<void> {
    const host = { isolation: 'nested', cpus } as const;
    const probed = await this.anyRuntime();
    await inProbe(this.pool, versionCommandOf(probed), LIMITS, host, this.closing, async (run, cell) => {
      this.kernelMemory = cell.chargesKernelMemory;
      try {
        await run.run();
        if (this.allowed === 'plain') this.log.warn('this host allows nested namespaces again');
        this.allowed = 'nested';
      } catch (error) {
        if (!(error instanceof IsolationRefused)) throw error;
        if (this.allowed === 'nested') this.log.error({ err: error }, 'this host refuses nested namespaces');
        this.allowed = 'plain';
        this.refusedAt = performance.now();
      }
    });
  }
}

/** Whether the command succeeds does not matter: it has its namespaces before it starts. */
const LIMITS: SandboxLimits = { memory_mb: 32, cpus: 0.5, pids: 16 };

const versionCommandOf = ({ runtime, imageDigest }: ProbedRuntime): ProbedRuntime => ({
  runtime: { ...runtime, compile: undefined, run: runtime.version_command },
  imageDigest,
});
