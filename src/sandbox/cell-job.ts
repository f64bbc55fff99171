import { type CommandValues, commandOf, type Runtime } from '../runtimes/runtime.js';
import { canPreload } from './preload.js';
import type { SandboxJob, SandboxLimits } from './sandbox.js';
import { withUnixLineEnds } from './script-line-ends.js';

export const WORKING_FOLDER = '/tmp/work';

/** The path of a compiled program, in a folder that nobody can write. */
const PROGRAM = '/tmp/.program/program';
/** Where a compiler puts it, in its working folder. A file of the input with this name is overwritten. */
export const MADE_PROGRAM = '.voidrunner.program';

/** What one job of a cell runs: a compiler, or a program. */
export interface CellJob {
  /** The name of its span. */
  readonly role: 'compiler' | 'program';
  readonly runtime: Runtime;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly { readonly path: string; readonly content: Uint8Array }[];
  readonly stdin: Uint8Array;
  /** What a compiler made, and where it is to be. */
  readonly program: { readonly path: string; readonly content: Uint8Array } | null;
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

/** @param program of a compiled runtime; null for any other */
export function programJob(job: SandboxJob, program: Uint8Array | null = null): CellJob {
  const { runtime, input, limits, timeoutMs } = job;
  return {
    ...commonOf(job),
    role: 'program',
    argv: [...commandOf(runtime.run, valuesOf(limits, PROGRAM)), ...(input.args ?? [])],
    stdin: input.stdin ?? new Uint8Array(),
    program: program && { path: PROGRAM, content: program },
    isPreloadable: canPreload(runtime, input.env),
    outputs: input.outputs ?? [],
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
    program: null,
    isPreloadable: false,
    outputs: [MADE_PROGRAM],
    outputsExcept: '',
    limits,
    timeoutMs: timeout_seconds * 1_000,
  };
}
