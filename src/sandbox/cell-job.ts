import { type CommandValues, commandOf, type Runtime } from '../runtimes/runtime.js';
import { canPreload } from './preload.js';
import type { ProgramRun, SandboxJob, SandboxLimits } from './sandbox.js';
import { withUnixLineEnds } from './script-line-ends.js';

export const WORKING_FOLDER = '/tmp/work';

/** The path of a compiled program, in a folder that nobody can write. */
const PROGRAM = '/tmp/.program/program';
/** Where a compiler puts it, in its working folder. A file of the input with this name is overwritten. */
export const MADE_PROGRAM = '.voidrunner.program';

/** What several jobs have in common. A cell keeps it from one job to the next. */
export interface CellBase {
  readonly files: CellJob['files'];
  /** What a compiler made, and where it is to be. */
  readonly program: { readonly path: string; readonly content: Uint8Array } | null;
}

/** Larger files are a base, which is in memory only once. */
const OWN_FILES_BYTES_MAX = 256 * 1024;
/** A base that is kept counts against the memory of each run: at most an eighth of it. A larger one is sent each time. */
const KEPT_BYTES_PER_MIB = 1024 ** 2 / 8;

/** What one job of a cell runs: a compiler, or a program. */
export interface CellJob {
  /** The name of its span. */
  readonly role: 'compiler' | 'program';
  readonly runtime: Runtime;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** `last`: the cell drops it when the job starts. */
  readonly base: { readonly content: CellBase; readonly use: 'kept' | 'last' } | null;
  /** Beside those of the base. */
  readonly files: readonly { readonly path: string; readonly content: Uint8Array }[];
  readonly stdin: Uint8Array;
  readonly isPreloadable: boolean;
  /** Patterns of the files that are wanted. */
  readonly outputs: readonly string[];
  /** A path that no pattern matches. */
  readonly outputsExcept: string;
  readonly limits: SandboxLimits;
  readonly timeoutMs: number;
}

/** The user that a job runs as; its uid is the cell's. The launcher writes the passwd entry. */
const USER = { HOME: '/tmp', USER: 'runner', LOGNAME: 'runner' };

const valuesOf = ({ memory_mb, cpus }: SandboxLimits, program: string): CommandValues => ({
  program,
  memory_mb,
  cpus: Math.ceil(cpus),
});

/** What compiler and program both get. */
function commonOf({ runtime, input, script }: SandboxJob) {
  const { file_name, environment, line_ends } = runtime;
  const content = line_ends === 'unix' ? withUnixLineEnds(script) : script;
  return {
    runtime,
    env: { ...USER, LANG: 'C.UTF-8', ...environment, ...input.env },
    files: [{ path: file_name, content }, ...(input.files ?? [])],
  };
}

const bytesOf = ({ files, program }: CellBase): number =>
  files.reduce((sum, { content }) => sum + content.length, program?.content.length ?? 0);

/** For several runs of a program. @param program of a compiled runtime; null for any other */
export const baseOf = (job: SandboxJob, program: Uint8Array | null): CellBase => ({
  files: commonOf(job).files,
  program: program && { path: PROGRAM, content: program },
});

/** The only run of a program. @param program of a compiled runtime; null for any other */
export function programJob(job: SandboxJob, program: Uint8Array | null = null): CellJob {
  const common = commonOf(job);
  const bytes = common.files.reduce((sum, { content }) => sum + content.length, 0);
  const needsBase = program !== null || bytes > OWN_FILES_BYTES_MAX;
  return {
    ...runJob(job, job.input, job),
    ...(needsBase
      ? { base: { content: baseOf(job, program), use: 'last' }, files: [] }
      : { base: null, files: common.files }),
    outputs: job.input.outputs ?? [],
  };
}

/** One of several runs of a program. */
export const repeatedJob = (job: SandboxJob, base: CellBase, run: ProgramRun): CellJob => ({
  ...runJob(job, run, run),
  base: { content: base, use: bytesOf(base) > run.limits.memory_mb * KEPT_BYTES_PER_MIB ? 'last' : 'kept' },
  files: run.files ?? [],
  outputs: [],
});

function runJob(
  job: SandboxJob,
  { stdin, args = [] }: Pick<ProgramRun, 'stdin' | 'args'>,
  { limits, timeoutMs }: Pick<ProgramRun, 'limits' | 'timeoutMs'>,
): Omit<CellJob, 'base' | 'files' | 'outputs'> {
  const { runtime, input } = job;
  const { env } = commonOf(job);
  return {
    runtime,
    env,
    role: 'program',
    argv: [...commandOf(runtime.run, valuesOf(limits, PROGRAM)), ...args],
    stdin: stdin ?? new Uint8Array(),
    isPreloadable: canPreload(runtime, input.env),
    outputsExcept: runtime.file_name,
    limits,
    timeoutMs,
  };
}

/** The job that makes the program of a compiled runtime. It has the limits of the runtime's compiler. */
export function compilerJob(job: SandboxJob, compile: NonNullable<Runtime['compile']>): CellJob {
  const { command, limits, timeout_seconds } = compile;
  return {
    ...commonOf(job),
    role: 'compiler',
    argv: commandOf(command, valuesOf(limits, `${WORKING_FOLDER}/${MADE_PROGRAM}`)),
    stdin: new Uint8Array(),
    base: null,
    isPreloadable: false,
    outputs: [MADE_PROGRAM],
    outputsExcept: '',
    limits,
    timeoutMs: timeout_seconds * 1_000,
  };
}
