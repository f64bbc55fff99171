import { type ImageName, type Language, LANGUAGES } from './languages.js';
import type { SandboxLimits, ScriptType } from './sandbox.js';

/** Nested: each job gets its own namespaces. Plain: the job uses the container's; the cell is removed after one job. */
export type Isolation = 'nested' | 'plain';

/** Everything that decides whether a cell can run a job: two cells of the same kind are interchangeable. */
export interface CellKind {
  readonly isolation: Isolation;
  readonly image: ImageName;
  readonly memoryMb: number;
  readonly cpus: number;
  readonly pids: number;
  readonly tmpSizeMb: number;
}

/** The default limits of a task (task-schemas.ts): cells with these limits are kept warm. */
export const DEFAULT_LIMITS: SandboxLimits = { memory_mb: 256, cpus: 1, pids: 64 };

/** The host that cells run on. */
export interface CellHost {
  /** The isolation that the host allows. */
  readonly isolation: Isolation;
  /** CPUs of the host: the engine refuses a container that asks for more. */
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

/** One kind per image. */
export const defaultKinds = (host: CellHost): CellKind[] =>
  (['python', 'javascript', 'bash', 'go'] as const).map((type) => kindFor(type, DEFAULT_LIMITS, host));

export const isSameKind = (one: CellKind, other: CellKind): boolean =>
  one.isolation === other.isolation &&
  one.image === other.image &&
  one.memoryMb === other.memoryMb &&
  one.cpus === other.cpus &&
  one.pids === other.pids &&
  one.tmpSizeMb === other.tmpSizeMb;
