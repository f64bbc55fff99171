import type { Log } from '../platform/telemetry/log.js';
import { DEFAULT_LIMITS } from '../runtimes/default-limits.js';
import type { CellPool } from './cell-pool.js';
import type { Cell } from './cell.js';
import { inProbe, type ProbedRuntime } from './probe.js';
import { SandboxFailure } from './sandbox.js';

/** One per runtime with a preloaded interpreter. `failed`: it did not start; `lost`: it died at its first job. */
export interface PreloadFinding {
  readonly runtime: string;
  readonly state: 'works' | 'failed' | 'lost';
}

/** Runs an empty program of each. */
export async function testPreloads(
  pool: CellPool,
  runtimes: readonly ProbedRuntime[],
  cpus: number,
  closing: AbortSignal,
): Promise<PreloadFinding[]> {
  const findings: PreloadFinding[] = [];
  for (const probed of runtimes)
    findings.push({ runtime: probed.runtime.name, state: await test(pool, probed, cpus, closing) });
  return findings;
}

async function test(
  pool: CellPool,
  probed: ProbedRuntime,
  cpus: number,
  closing: AbortSignal,
): Promise<PreloadFinding['state']> {
  try {
    return await inProbe(pool, probed, DEFAULT_LIMITS, { isolation: 'nested', cpus }, closing, async (run, cell) => {
      if ((await cell.startInterpreter()) === 'failed') return 'failed';
      await run.run();
      return run.preload === 'used' ? 'works' : 'lost';
    });
  } catch (error) {
    // No cell of this image: `doctor` has a line about it.
    if (error instanceof SandboxFailure) return 'failed';
    throw error;
  }
}

/** Programs run without it, only slower. `voidrunner doctor` gives advice about it. */
export function warnOfPreload(log: Log, { name, kind, stderr }: Cell, what: 'did not start' | 'died'): void {
  log.warn({ cell: name, image: kind.image, stderr }, `the preloaded interpreter ${what}; programs start their own`);
}
