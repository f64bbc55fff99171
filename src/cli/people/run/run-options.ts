import { existsSync } from 'node:fs';
import { basename, isAbsolute, normalize } from 'node:path';

import type { Limits } from '@voidrunner/client';
import { type Command, InvalidArgumentError } from 'commander';

import { wholeNumberBetween } from '../../whole-number.js';
import { Failure } from '../../failure.js';
import { INPUT_BYTES_MAX, readLocalFile } from './bounded-reading.js';

/** What a program gets, by options of the command line. */
export interface InputArguments {
  readonly arg?: readonly string[];
  readonly stdin?: string;
  readonly file?: readonly string[];
  readonly output?: readonly string[];
  readonly out?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface LimitArguments {
  readonly timeout?: number;
  readonly memory?: number;
  readonly cpus?: number;
}

const SECONDS_MAX = 1_000_000;
const MEMORY_MB_MAX = 1_000_000;
const CPUS_MAX = 1_000;

export const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export const withInputOptions = (command: Command): Command =>
  command
    .option('--arg <value>', 'an argument of the program; repeat it, or give them all after --', collect)
    .option('--stdin <file>', 'standard input from a file; - waits for all of standard input before the start')
    .option('--file <local[:remote]>', 'a file for the program; repeat it', collect)
    .option('--output <pattern>', 'files of the program to keep, such as "*.png"; repeat it', collect)
    .option('--out <dir>', 'write the kept files below this folder; keeps all files unless there is --output')
    .option('--env <name=value>', 'an environment variable of the program; repeat it', environment);

export const withLimitOptions = (command: Command): Command =>
  command
    .option('--timeout <seconds>', 'maximum time', wholeNumberBetween(1, SECONDS_MAX))
    .option('--memory <mb>', 'maximum memory in MiB', wholeNumberBetween(1, MEMORY_MB_MAX))
    .option('--cpus <number>', 'maximum number of CPUs, such as 0.5', cpus);

function environment(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  // The text is not repeated: it may be a secret.
  if (at < 1) throw new InvalidArgumentError('Expected NAME=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

function cpus(text: string): number {
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (!(number > 0 && number <= CPUS_MAX)) throw new InvalidArgumentError(`Expected a number up to ${CPUS_MAX}.`);
  return number;
}

/** In the form of the client. */
export function limitsOf({ timeout, memory, cpus }: LimitArguments) {
  const limits: Limits = { ...(memory !== undefined && { memory_mb: memory }), ...(cpus !== undefined && { cpus }) };
  return {
    ...(timeout !== undefined && { timeoutSeconds: timeout }),
    ...(Object.keys(limits).length > 0 && { limits }),
  };
}

/** Everything but standard input, in the form of the client. Reads the files. */
export async function inputOf(options: InputArguments, args: readonly string[]) {
  const { out, output = out === undefined ? [] : ['**'], env, arg = [], file = [] } = options;
  const files = await Promise.all(file.map(readInputFile));
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0);
  if (bytes > INPUT_BYTES_MAX) throw new Failure(`the files have more than ${INPUT_BYTES_MAX} bytes together`);
  const all = [...arg, ...args];
  return {
    ...(all.length > 0 && { args: all }),
    ...(files.length > 0 && { files }),
    ...(output.length > 0 && { outputs: output }),
    ...(env && { env }),
  };
}

async function readInputFile(text: string) {
  const [local, remote] = placesOf(text);
  return { path: remote, content: await readLocalFile(local, INPUT_BYTES_MAX) };
}

/** `data/a.csv` is there under the same path; a file elsewhere under its name. */
function placesOf(text: string): readonly [local: string, remote: string] {
  const at = text.lastIndexOf(':');
  if (at > 0 && !existsSync(text)) return [text.slice(0, at), text.slice(at + 1)];
  const path = normalize(text);
  return [text, isAbsolute(path) || path.startsWith('..') ? basename(path) : path];
}
