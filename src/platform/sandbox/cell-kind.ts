import type { SandboxLimits, ScriptType } from '../../kernel/ports/sandbox.js';
import { type ImageName, type Language, LANGUAGES } from './languages.js';

/** What decides whether a cell can run a job: two of the same kind are interchangeable. */
export interface CellKind {
  readonly image: ImageName;
  readonly memoryMb: number;
  readonly cpus: number;
  readonly pids: number;
  readonly tmpSizeMb: number;
}

/** A task that asks for nothing else has these (task-schemas.ts): cells of these limits are kept warm. */
const USUAL_LIMITS: SandboxLimits = { memory_mb: 256, cpus: 1, pids: 64 };

/** The engine refuses more CPUs than it has: `engineCpus` caps. */
export function kindFor(scriptType: ScriptType, limits: SandboxLimits, engineCpus: number): CellKind {
  const { image, memoryMbMin, pidsMin, tmpSizeMb }: Language = LANGUAGES[scriptType];
  return {
    image,
    memoryMb: Math.max(limits.memory_mb, memoryMbMin),
    cpus: Math.min(limits.cpus, engineCpus),
    pids: Math.max(limits.pids, pidsMin),
    tmpSizeMb,
  };
}

/** One kind an image. */
export const usualKinds = (engineCpus: number): CellKind[] =>
  (['python', 'javascript', 'bash', 'go'] as const).map((type) => kindFor(type, USUAL_LIMITS, engineCpus));

export const isSameKind = (one: CellKind, other: CellKind): boolean =>
  one.image === other.image &&
  one.memoryMb === other.memoryMb &&
  one.cpus === other.cpus &&
  one.pids === other.pids &&
  one.tmpSizeMb === other.tmpSizeMb;
