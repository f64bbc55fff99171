import { randomUUID } from 'node:crypto';

import { type CellHost, kindFor } from './cell-kind.js';
import type { CellPool } from './cell-pool.js';
import { CellRun } from './cell-run.js';
import type { Cell } from './cell.js';
import type { SandboxJob } from './sandbox.js';

export type Probe = Pick<SandboxJob, 'scriptType' | 'script' | 'limits'>;

/** A short job of the sandbox's own, in a cell that is not used again. @throws SandboxFailure if there is no cell */
export async function inProbe<T>(
  pool: CellPool,
  probe: Probe,
  host: CellHost,
  closing: AbortSignal,
  use: (run: CellRun, cell: Cell) => Promise<T>,
): Promise<T> {
  const job: SandboxJob = {
    ...probe,
    executionId: randomUUID(),
    userId: randomUUID(),
    attempt: 1,
    input: {},
    timeoutMs: 10_000,
  };
  const cell = await pool.take(job.userId, kindFor(job.scriptType, job.limits, host));
  const { signal: cancelled } = new AbortController();
  const limits = { outputBytesMax: 0, compileTimeoutMs: 0 };
  const run = new CellRun(cell, { job, ...limits, cancelled, closing, onOutput: undefined });
  try {
    return await use(run, cell);
  } finally {
    pool.release(cell, false);
  }
}
