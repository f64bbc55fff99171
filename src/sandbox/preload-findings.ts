import { randomUUID } from 'node:crypto';

import type { Log } from '../platform/telemetry/log.js';
import { kindFor } from './cell-kind.js';
import type { CellPool } from './cell-pool.js';
import { CellRun } from './cell-run.js';
import type { Cell } from './cell.js';
import { type ImageName, LANGUAGES } from './languages.js';
import { PRELOADS } from './preload.js';
import { SandboxFailure, type SandboxJob, type ScriptType } from './sandbox.js';

/** One per image with a preloaded interpreter. `failed`: it did not start; `lost`: it died at its first job. */
export interface PreloadFinding {
  readonly image: ImageName;
  readonly state: 'works' | 'failed' | 'lost';
}

const PROBE = {
  attempt: 1,
  script: new Uint8Array(),
  input: {},
  limits: { memory_mb: 256, cpus: 1, pids: 64 },
  timeoutMs: 10_000,
} as const;

/** The language that an image is tested with: the first that uses it. */
const languageOf = (image: ImageName): ScriptType =>
  (Object.keys(LANGUAGES) as ScriptType[]).find((type) => LANGUAGES[type].image === image)!;

/** Runs an empty program of each. @throws SandboxFailure if a cell cannot run */
export async function testPreloads(pool: CellPool, cpus: number, closing: AbortSignal): Promise<PreloadFinding[]> {
  const findings: PreloadFinding[] = [];
  for (const image of Object.keys(PRELOADS) as ImageName[])
    findings.push({ image, state: await test(pool, cpus, closing, languageOf(image)) });
  return findings;
}

async function test(
  pool: CellPool,
  cpus: number,
  closing: AbortSignal,
  scriptType: ScriptType,
): Promise<PreloadFinding['state']> {
  const job: SandboxJob = { ...PROBE, scriptType, executionId: randomUUID(), userId: randomUUID() };
  const kind = kindFor(scriptType, job.limits, { isolation: 'nested', cpus });
  try {
    return await tryIn(await pool.take(job.userId, kind), job, pool, closing);
  } catch (error) {
    // No cell of this image: `doctor` has a line about it.
    if (error instanceof SandboxFailure) return 'failed';
    throw error;
  }
}

async function tryIn(
  cell: Cell,
  job: SandboxJob,
  pool: CellPool,
  closing: AbortSignal,
): Promise<PreloadFinding['state']> {
  const { signal: cancelled } = new AbortController();
  const limits = { outputBytesMax: 0, compileTimeoutMs: 0 };
  const run = new CellRun(cell, { job, ...limits, cancelled, closing, onOutput: undefined });
  try {
    if (cell.preload === 'failed') return 'failed';
    await run.run();
    return run.preload === 'used' ? 'works' : 'lost';
  } finally {
    pool.release(cell, false);
  }
}

/** Programs run without it, only slower. `voidrunner doctor` gives advice about it. */
export function warnOfPreload(log: Log, { name, kind, preload, jobs, stderr }: Cell, run: CellRun): void {
  const failed = preload === 'failed' && jobs === 1;
  if (!failed && run.preload !== 'lost') return;
  const what = failed ? 'did not start' : 'died';
  log.warn({ cell: name, image: kind.image, stderr }, `the preloaded interpreter ${what}; programs start their own`);
}
