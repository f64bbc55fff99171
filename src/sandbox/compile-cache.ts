import { withTimeout } from '../platform/async/timeout.js';
import type { Log } from '../platform/telemetry/log.js';
import { type CompiledPrograms, programKey } from './compiled-programs.js';
import type { SandboxJob } from './sandbox.js';

/** A run waits no longer than this, and so does its cancellation. */
const FIND_MS_MAX = 1_000;

/** What the cache has for one job. */
export interface CompileCacheEntry {
  /** Compiled earlier; null: the job compiles it. */
  readonly program: Uint8Array | null;
  /** Keeps what the job compiled, for later jobs. */
  keep(program: Uint8Array): Promise<void>;
}

/** Saves jobs their compiler. Whatever fails here, the job compiles its program itself. */
export class CompileCache {
  /** Jobs since the start that found their program, and jobs that did not. */
  readonly figures = { found: 0, missed: 0 };

  constructor(
    private readonly programs: CompiledPrograms | undefined,
    private readonly log: Log,
  ) {}

  /** @returns null if the job compiles nothing, or there is no cache */
  async entryOf(job: SandboxJob, imageDigest: string): Promise<CompileCacheEntry | null> {
    const { programs } = this;
    if (!programs || !job.runtime.compile) return null;
    const key = programKey(job, imageDigest);
    const find = () => withTimeout(programs.find(job.userId, key), FIND_MS_MAX, () => new Error('it took too long'));
    const program = (await this.attempt('was not read', find)) ?? null;
    this.figures[program ? 'found' : 'missed'] += 1;
    const keep = (made: Uint8Array) => this.attempt('was not written', () => programs.keep(job.userId, key, made));
    return { program, keep };
  }

  private async attempt<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.log.warn({ err: error }, `the cache of compiled programs ${what}`);
      return undefined;
    }
  }
}
