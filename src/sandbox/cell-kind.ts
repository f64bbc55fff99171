import { isSameJson } from '../kernel/json.js';
import type { Runtime, RuntimePreload } from '../runtimes/runtime.js';
import type { SandboxLimits } from './sandbox.js';

/** Nested: each job gets its own namespaces. Plain: the job uses the container's; the cell is removed after one job. */
export type Isolation = 'nested' | 'plain';

/** Everything that decides whether a cell can run a job: two cells of the same kind are interchangeable. */
export interface CellKind {
  readonly isolation: Isolation;
  /** Digest of the image. */
  readonly image: string;
  /** What its interpreter preloads; null: there is none. */
  readonly preload: RuntimePreload | null;
  readonly memoryMb: number;
  readonly cpus: number;
  readonly pids: number;
  readonly tmpSizeMb: number;
}

/** The host that cells run on. */
export interface CellHost {
  /** The isolation that the host allows. */
  readonly isolation: Isolation;
  /** CPUs of the host: the engine refuses a container that asks for more. */
  readonly cpus: number;
}

export function kindFor(
  { preload, limits: { tmp_mb } }: Pick<Runtime, 'preload' | 'limits'>,
  image: string,
  limits: SandboxLimits,
  host: CellHost,
): CellKind {
  return {
    isolation: host.isolation,
    image,
    preload: preload ?? null,
    memoryMb: limits.memory_mb,
    cpus: Math.min(limits.cpus, host.cpus),
    pids: limits.pids,
    tmpSizeMb: tmp_mb,
  };
}

export const isSameKind = (one: CellKind, other: CellKind): boolean =>
  one.isolation === other.isolation &&
  one.image === other.image &&
  one.memoryMb === other.memoryMb &&
  one.cpus === other.cpus &&
  one.pids === other.pids &&
  one.tmpSizeMb === other.tmpSizeMb &&
  (one.preload === other.preload || isSameJson(one.preload, other.preload));
