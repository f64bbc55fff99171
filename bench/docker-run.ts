import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import type { ScriptType } from '../test/support/declared-runtimes.js';
import { dockerEndpoint } from '../test/support/docker.js';
import { timed } from './figures.js';

/** A program that prints 1, as a script for the sandbox and as a command in its image. */
export interface Program {
  readonly language: ScriptType;
  readonly script: string;
  readonly command: readonly string[];
}

export const PYTHON: Program = { language: 'python', script: 'print(1)', command: ['python3', '-c', 'print(1)'] };
export const BASH: Program = { language: 'bash', script: 'echo 1', command: ['bash', '-c', 'echo 1'] };
export const JAVASCRIPT: Program = {
  language: 'javascript',
  script: 'console.log(1)',
  command: ['node', '-e', 'console.log(1)'],
};

const LIMITS = ['--memory=256m', '--memory-swap=256m', '--cpus=1', '--pids-limit=64'];
const HARDENING = ['--network=none', '--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges'];

const execute = promisify(execFile);

/** The peer: `docker run --rm` with the same image and limits. @throws if it does not print 1 */
export function dockerRun({ language, command }: Program): Promise<void> {
  const args = ['--host', dockerEndpoint, 'run', '--rm', ...LIMITS, ...HARDENING, '--tmpfs=/tmp:exec,size=64m'];
  return mustPrintOne('docker', [...args, `voidrunner/${language}:latest`, ...command]);
}

async function mustPrintOne(file: string, args: readonly string[]): Promise<void> {
  const { stdout } = await execute(file, args);
  if (stdout !== '1\n') throw new Error(`${file} printed ${JSON.stringify(stdout)}`);
}

const BARE_AT_ONCE = 4;

/**
 * The interpreter alone, four at a time, as often as it starts and prints 1: the image's own, in one container without
 * limits, filters or a sandbox of its own per run. The start of the container is not counted.
 * @returns runs per second
 */
export async function bareRate({ language, command }: Program, runs: number): Promise<number> {
  const each = Math.ceil(runs / BARE_AT_ONCE);
  const loop = `n=0; while [ $n -lt ${each} ]; do "$@" >/dev/null || exit; n=$((n+1)); done`;
  const script = `echo begin; for i in ${Array.from({ length: BARE_AT_ONCE }, (_, index) => index).join(' ')}; do (${loop}) & done; wait; echo end`;
  const args = ['--host', dockerEndpoint, 'run', '--rm', '--network=none', '--security-opt=seccomp=unconfined'];
  const container = spawn('docker', [...args, `voidrunner/${language}:latest`, 'sh', '-c', script, 'sh', ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface(container.stdout)[Symbol.asyncIterator]();
  const nextIs = async (expected: string) => {
    const { value } = (await lines.next()) as IteratorResult<string>;
    if (value !== expected) throw new Error(`the bare ${language} printed ${value}`);
  };
  await nextIs('begin');
  const ms = await timed(() => nextIs('end'));
  await once(container, 'exit');
  return (each * BARE_AT_ONCE * 1_000) / ms;
}
