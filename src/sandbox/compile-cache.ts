import { withTimeout } from '../platform/async/timeout.js';
import type { Log } from '../platform/telemetry/log.js';
import type { CellJob } from './cell-job.js';
import { type Compilation, decodeCompilation, encodeCompilation } from './compilation.js';
import { type CompiledPrograms, programKey } from './compiled-programs.js';

/** A run waits no longer than this, and so does its cancellation. */
const FIND_MS_MAX = 1_000;

/** What the cache has for one compiler's job. */
export interface CompileCacheEntry {
  /** Made earlier; null: there is none. */
  readonly compilation: Compilation | null;
  /** For later jobs. */
  keep(compilation: Compilation): Promise<void>;
}

/** Saves jobs their compiler. Whatever fails here, the program is compiled. */
export class CompileCache {
  /** Jobs since the start that found their program, and jobs that did not. */
  readonly figures = { found: 0, missed: 0 };

  constructor(
    private readonly programs: CompiledPrograms | undefined,
    private readonly log: Log,
  ) {}

  /** @returns null if there is no cache */
  async entryOf(ownerId: string, compiler: CellJob, imageDigest: string): Promise<CompileCacheEntry | null> {
    const { programs } = this;
    if (!programs) return null;
    const key = programKey(compiler, imageDigest);
    const find = () => withTimeout(programs.find(ownerId, key), FIND_MS_MAX, () => new Error('it took too long'));
    const compilation = await this.attempt('was not read', async () => {
      const found = await find();
      return found && decodeCompilation(found);
    });
    this.figures[compilation ? 'found' : 'missed'] += 1;
    const keep = async (made: Compilation): Promise<void> => {
      await this.attempt('was not written', () => programs.keep(ownerId, key, encodeCompilation(made)));
    };
    return { compilation: compilation ?? null, keep };
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
