import { randomUUID } from 'node:crypto';

import type { Runtime } from '../runtimes/runtime.js';
import { programJob } from './cell-job.js';
import { type CellHost, kindFor } from './cell-kind.js';
import type { CellPool } from './cell-pool.js';
import { CellRun } from './cell-run.js';
import type { Cell } from './cell.js';
import { FILES_MAX } from './collected-files.js';
import type { SandboxJob, SandboxLimits } from './sandbox.js';

/** A runtime with its image. */
export interface ProbedRuntime {
  readonly runtime: Runtime;
  readonly imageDigest: string;
}

/** An empty program of the runtime in a cell that is not used again. @throws SandboxFailure if there is no cell */
export async function inProbe<T>(
  pool: CellPool,
  { runtime, imageDigest }: ProbedRuntime,
  limits: SandboxLimits,
  host: CellHost,
  closing: AbortSignal,
  use: (run: CellRun, cell: Cell) => Promise<T>,
): Promise<T> {
  const job: SandboxJob = {
    ...{ runtime, imageDigest, limits, script: new Uint8Array(), input: {} },
    executionId: randomUUID(),
    userId: randomUUID(),
    attempt: 1,
    timeoutMs: 10_000,
  };
  const cell = await pool.take(job.userId, kindFor(runtime, imageDigest, limits, host));
  const { signal: cancelled } = new AbortController();
  const bounds = { outputBytesMax: 0, filesMax: FILES_MAX };
  const run = new CellRun(cell, { job: programJob(job), ...bounds, cancelled, closing, onOutput: undefined });
  try {
    return await use(run, cell);
  } finally {
    pool.release(cell, false);
  }
}
