import type { SandboxLimits, ScriptType } from './sandbox.js';
import { type ImageName, type Language, LANGUAGES } from './languages.js';

/** Nested: each job in namespaces of its own. Plain: in the container's, for a cell that runs one job and is removed. */
export type Isolation = 'nested' | 'plain';

/** What decides whether a cell can run a job: two of the same kind are interchangeable. */
export interface CellKind {
  readonly isolation: Isolation;
  readonly image: ImageName;
  readonly memoryMb: number;
  readonly cpus: number;
  readonly pids: number;
  readonly tmpSizeMb: number;
}

/** A task that asks for nothing else has these (task-schemas.ts): cells of these limits are kept warm. */
const USUAL_LIMITS: SandboxLimits = { memory_mb: 256, cpus: 1, pids: 64 };

/** Of the host that cells run on. */
export interface CellHost {
  /** What the host allows. */
  readonly isolation: Isolation;
  /** The engine refuses more than it has. */
  readonly cpus: number;
}

export function kindFor(scriptType: ScriptType, limits: SandboxLimits, host: CellHost): CellKind {
  const { image, tmpSizeMb }: Language = LANGUAGES[scriptType];
  return {
    isolation: host.isolation,
    image,
    memoryMb: limits.memory_mb,
    cpus: Math.min(limits.cpus, host.cpus),
    pids: limits.pids,
    tmpSizeMb,
  };
}

/** One kind an image. */
export const usualKinds = (host: CellHost): CellKind[] =>
  (['python', 'javascript', 'bash', 'go'] as const).map((type) => kindFor(type, USUAL_LIMITS, host));

export const isSameKind = (one: CellKind, other: CellKind): boolean =>
  one.isolation === other.isolation &&
  one.image === other.image &&
  one.memoryMb === other.memoryMb &&
  one.cpus === other.cpus &&
  one.pids === other.pids &&
  one.tmpSizeMb === other.tmpSizeMb;
