import type { Log } from '../platform/telemetry/log.js';
import { DEFAULT_LIMITS } from './cell-kind.js';
import type { CellPool } from './cell-pool.js';
import type { Cell } from './cell.js';
import { type ImageName, LANGUAGES } from './languages.js';
import { PRELOADS } from './preload.js';
import { inProbe } from './probe.js';
import { SandboxFailure, type ScriptType } from './sandbox.js';

/** One per image with a preloaded interpreter. `failed`: it did not start; `lost`: it died at its first job. */
export interface PreloadFinding {
  readonly image: ImageName;
  readonly state: 'works' | 'failed' | 'lost';
}

/** The language that an image is tested with: the first that uses it. */
const languageOf = (image: ImageName): ScriptType =>
  (Object.keys(LANGUAGES) as ScriptType[]).find((type) => LANGUAGES[type].image === image)!;

/** Runs an empty program of each. */
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
  const probe = { scriptType, script: new Uint8Array(), limits: DEFAULT_LIMITS };
  try {
    return await inProbe(pool, probe, { isolation: 'nested', cpus }, closing, async (run, cell) => {
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
