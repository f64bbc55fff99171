import type { Runtime } from '../runtimes/runtime.js';
import { compilerJob } from './cell-job.js';
import { type CellHost, kindFor } from './cell-kind.js';
import type { CellJobOptions, CellJobs } from './cell-jobs.js';
import { IsolationRefused } from './cell-run.js';
import type { Compilation } from './compilation.js';
import type { CompileCache } from './compile-cache.js';
import { type CompilerEnd, SandboxFailure, type SandboxJob, type SandboxOutcome } from './sandbox.js';

/** Of a program. A larger one cannot be sent to the job that runs it. */
const PROGRAM_BYTES_MAX = 16 * 1024 ** 2;
/** Kept of each stream of a compiler. */
const OUTPUT_BYTES_MAX = 64 * 1024;

/** How a program was not made. */
export interface NotCompiled {
  /** Null: the run was cancelled before its compiler ended. */
  readonly end: CompilerEnd | null;
  readonly notes: readonly string[];
}

/** Makes the programs of compiled runtimes, each in a job of its own, with the limits of its compiler (ADR 53). */
export class Compiler {
  constructor(
    private readonly jobs: CellJobs,
    private readonly cache: CompileCache,
    /** Keeps the sandbox open until the work is done. */
    private readonly track: (work: Promise<unknown>) => void,
  ) {}

  /** @throws SandboxFailure */
  async compile(
    job: SandboxJob,
    compile: NonNullable<Runtime['compile']>,
    image: string,
    host: CellHost,
    options: Pick<CellJobOptions, 'cancelled' | 'closing' | 'reportGraceMs'>,
  ): Promise<Compilation | NotCompiled> {
    const compiler = compilerJob(job, compile);
    const cached = await this.cache.entryOf(job.userId, compiler, image);
    if (cached?.compilation) return cached.compilation;
    const place = { userId: job.userId, kind: kindFor(job.runtime, image, compile.limits, host), hostCpus: host.cpus };
    const bounds = { outputBytesMax: OUTPUT_BYTES_MAX, filesMax: { count: 1, bytes: PROGRAM_BYTES_MAX } };
    const ended = await this.jobs
      .run(compiler, place, { ...options, ...bounds, onOutput: undefined })
      .catch((error: unknown) => failed(error));
    if (ended === null || ended.reason === 'cancelled') return { end: null, notes: [] };
    const program = ended.files[0]?.content;
    const isLost = ended.returnCode === 0 && !program && ended.skippedFiles.length === 0 && !ended.hasAllFiles;
    if (isLost) throw new SandboxFailure('the program of the compiler was lost', true);
    if (ended.returnCode !== 0 || !program?.length) return notCompiled(ended, compile);
    const compilation = { program, end: endOf(ended) };
    if (cached) this.track(cached.keep(compilation));
    return compilation;
  }
}

const endOf = ({ returnCode, stdout, stderr, wallTimeMs }: SandboxOutcome): CompilerEnd => ({
  returnCode,
  stdout,
  stderr,
  wallTimeMs,
});

function notCompiled(ended: SandboxOutcome, { timeout_seconds }: NonNullable<Runtime['compile']>): NotCompiled {
  const { reason, returnCode, notes, skippedFiles } = ended;
  const why = [
    ...(reason === 'timeout' ? [`the limit of ${timeout_seconds} s was reached`] : []),
    ...notes,
    ...(returnCode === 0 ? [skippedFiles[0] ? 'its program is no file of at most 16 MiB' : 'it made no program'] : []),
  ];
  return { end: endOf(ended), notes: why.map((note) => `compiler: ${note}`) };
}

/** Its output so far is not the program's. */
function failed(error: unknown): never {
  if (!(error instanceof SandboxFailure) || error instanceof IsolationRefused) throw error;
  const { message, countsAsAttempt, cause } = error;
  throw new SandboxFailure(`the compiler: ${message}`, countsAsAttempt, { cause });
}
