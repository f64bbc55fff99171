import { DomainError } from '../kernel/errors.js';
import { isOutputPattern, PATTERNS_MAX } from './output-patterns.js';
import type { SandboxInput, SandboxJob } from './sandbox.js';

export const ARGS_MAX = 64;
export const ENV_MAX = 64;
const FILES_MAX = 128;
/** The kernel refuses a single argument or variable of 128 KiB (MAX_ARG_STRLEN). */
export const ARGUMENT_BYTES_MAX = 64 * 1024;
/** args and env together: the kernel refuses more than a quarter of the stack (2 MiB). A test adds to the input's. */
export const ARGUMENTS_BYTES_MAX = 1536 * 1024;
/** Script, stdin and files together. They must fit into the smallest /tmp (64 MiB) and leave working space. */
export const INPUT_BYTES_MAX = 17 * 1024 * 1024;
export const PATH_BYTES_MAX = 255;

export interface JobBounds {
  readonly filesMax: number;
  /** Script, stdin and files together. */
  readonly bytesMax: number;
}

const OF_JOB: JobBounds = { filesMax: FILES_MAX, bytesMax: INPUT_BYTES_MAX };
/**
 * A test gets the files of its execution beside its own, and a checker an input, what is expected and an output. What a
 * cell gets in one frame stays below the 40 MiB of the launcher.
 */
export const OF_RUN: JobBounds = { filesMax: 2 * FILES_MAX, bytesMax: 2 * INPUT_BYTES_MAX };

const refuse = (field: string, message: string): never => {
  throw new DomainError('invalid_sandbox_input', message, 'invalid', { field });
};

const bytes = (text: string): number => Buffer.byteLength(text);

/**
 * Refuses input that would fail only after a container was made: a run that cannot start would look like an outage and
 * be retried forever.
 * @throws DomainError `invalid_sandbox_input`
 */
export function checkJob(job: SandboxJob, bounds = OF_JOB): void {
  const { memory_mb, cpus, pids } = job.limits;
  if (!(memory_mb >= 1 && cpus > 0 && pids >= 1)) refuse('limits', 'limits must be positive numbers');
  if (!(job.timeoutMs >= 1)) refuse('timeout_ms', 'the timeout must be at least 1 ms');
  checkArguments(job.input);
  checkFiles(job, bounds);
  checkOutputs(job.input);
}

function checkArguments({ args = [], env = {} }: SandboxInput): void {
  if (args.length > ARGS_MAX) refuse('args', `at most ${ARGS_MAX} arguments`);
  const variables = Object.entries(env);
  if (variables.length > ENV_MAX) refuse('env', `at most ${ENV_MAX} variables`);
  for (const arg of args) checkText('args', arg);
  for (const [name, value] of variables) {
    if (name === '' || name.includes('=')) refuse('env', 'the name of a variable must not be empty or contain "="');
    checkText('env', `${name}=${value}`);
  }
  const total = [...args, ...variables.flat()].reduce((sum, text) => sum + bytes(text) + 1, 0);
  if (total > ARGUMENTS_BYTES_MAX) refuse('args', `args and env are at most ${ARGUMENTS_BYTES_MAX} bytes together`);
}

function checkText(field: string, text: string): void {
  if (text.includes('\0')) refuse(field, 'NUL characters are not allowed');
  if (bytes(text) > ARGUMENT_BYTES_MAX) refuse(field, `at most ${ARGUMENT_BYTES_MAX} bytes each`);
}

function checkFiles(
  { script, runtime, input: { stdin, files = [] } }: SandboxJob,
  { filesMax, bytesMax }: JobBounds,
): void {
  if (files.length > filesMax) refuse('files', `at most ${filesMax} files`);
  // The script is written like any other file: no input file may have its path.
  const taken = new Set<string>();
  const paths = [runtime.file_name, ...files.map(({ path }) => path)];
  for (const path of paths) {
    checkPath(path);
    if (taken.has(path)) refuse('files', 'two files have the same path');
    taken.add(path);
  }
  for (const path of paths) {
    for (const folder of foldersOf(path))
      if (taken.has(folder)) refuse('files', 'a path is used both as a file and as a folder');
  }
  const total = files.reduce((sum, { content }) => sum + content.length, script.length + (stdin?.length ?? 0));
  if (total > bytesMax) refuse('files', `script, stdin and files are at most ${bytesMax} bytes together`);
}

function checkOutputs({ outputs = [] }: SandboxInput): void {
  if (outputs.length > PATTERNS_MAX) refuse('outputs', `at most ${PATTERNS_MAX} patterns`);
  if (!outputs.every(isOutputPattern))
    refuse('outputs', 'a pattern must be relative and stay inside the working folder');
}

function checkPath(path: string): void {
  if (bytes(path) > PATH_BYTES_MAX) refuse('files', `a path is at most ${PATH_BYTES_MAX} bytes`);
  if (path.includes('\0')) refuse('files', 'a path must not contain NUL');
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    refuse('files', 'a path must be relative and stay inside the working folder');
  }
}

/** Of a path inside the working folder, the outermost first. */
export function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
