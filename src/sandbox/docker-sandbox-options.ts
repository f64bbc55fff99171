import type { Log } from '../platform/telemetry/log.js';
import type { Runtimes } from '../runtimes/runtimes.js';
import type { FilesMax } from './collected-files.js';
import type { CompiledPrograms } from './compiled-programs.js';
import type { ContainerSettings } from './container-spec.js';

export interface DockerSandboxOptions extends ContainerSettings {
  /** `unix:///path`, `tcp://host:port` or `http://host:port`. */
  readonly endpoint: string;
  /** Cells of those with `keep_ready` are kept ready. */
  readonly runtimes: Runtimes;
  /** `<namespace>.<id>`: the sweep removes only containers of its own namespace. */
  readonly workerId: string;
  /** Kept of each stream, stdout and stderr. */
  readonly outputBytesMax: number;
  /** Kept of the files that a run asks to keep. Default: FILES_MAX. */
  readonly filesMax?: FilesMax;
  /** `single`: a cell is removed after one job. Default: `nested`, a cell also runs its user's next jobs. */
  readonly isolation?: 'nested' | 'single';
  /** If the host refuses nested namespaces: false (default) runs jobs without them, true runs none until allowed. */
  readonly isNestingRequired?: boolean;
  /** Interval between retests of a host that refused nested namespaces. */
  readonly isolationRetestMs?: number;
  /** Ready cells per image. Default: 0, every cell is made when it is needed. */
  readonly poolSize?: number;
  /** How long a cell waits for its user's next job. */
  readonly cellRestMs?: number;
  /** Cells in any state: waiting cells are removed to make room for runs. Default: 64. */
  readonly cellsMax?: number;
  /** Default: 500. */
  readonly cellJobsMax?: number;
  /**
   * Jobs of a new cell before its interpreter is started; those that were made ready have it from the start. 0: the first
   * job waits for it. Default: 2.
   */
  readonly preloadAfterJobs?: number;
  /** How long a run may take to send its report after it was asked to end. */
  readonly reportGraceMs?: number | undefined;
  /** Absent: every run compiles. */
  readonly programs?: CompiledPrograms;
  readonly log?: Log;
}
