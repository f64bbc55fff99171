import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import type { ScriptType } from '../src/sandbox/sandbox.js';
import { dockerEndpoint } from '../test/support/docker.js';

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

export async function mustPrintOne(file: string, args: readonly string[]): Promise<void> {
  const { stdout } = await execute(file, args);
  if (stdout !== '1\n') throw new Error(`${file} printed ${JSON.stringify(stdout)}`);
}
