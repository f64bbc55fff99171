import { posix } from 'node:path';

import { HttpProblem } from '../../http/problem.js';
import { DEFAULT_LIMITS } from '../../runtimes/default-limits.js';
import { floorOf, type Runtime } from '../../runtimes/runtime.js';
import type { OperatorRules } from '../../tasks/api/operator-rules.js';

/** The body of `POST /execute` before its checks, which are Piston's, in its order. */
type Body = Readonly<Record<string, unknown>>;

export interface PistonFile {
  readonly name: string;
  readonly content: string;
  readonly encoding: 'utf8' | 'base64' | 'hex';
}

/** What is to be run, without its limits. */
export interface PistonProgram {
  readonly language: string;
  readonly version: string;
  readonly files: readonly PistonFile[];
  readonly stdin: string;
  readonly args: readonly string[];
}

/** In the units of Piston: milliseconds and bytes. */
export interface PistonLimits {
  readonly run_timeout: number;
  readonly run_cpu_time: number;
  readonly run_memory_limit: number;
}

/** As documented: what Piston allows without a request of its own. */
const RUN_TIMEOUT_MS = 3_000;
/** The answer is sent when the run has ended, and proxies give up on responses that take longer. */
const RUN_TIMEOUT_MS_MAX = 60_000;
const MS_PER_SECOND = 1_000;
const BYTES_PER_MIB = 1024 ** 2;

const ENCODINGS = ['utf8', 'base64', 'hex'] as const;

export const refused = (message: string): HttpProblem => new HttpProblem(400, 'piston_request_refused', message);

/** @throws HttpProblem 400 with Piston's text */
export function programIn(sent: unknown): PistonProgram {
  const body = (typeof sent === 'object' && sent !== null ? sent : {}) as Body;
  const { language, version, files, stdin, args } = body;
  if (!language || typeof language !== 'string') throw refused('language is required as a string');
  if (!version || typeof version !== 'string') throw refused('version is required as a string');
  if (!Array.isArray(files)) throw refused('files is required as an array');
  const program = { language, version, files: files.map(fileIn), stdin: stdinIn(stdin), args: argsIn(args) };
  return program;
}

function fileIn(sent: unknown, index: number): PistonFile {
  const { name, content, encoding } = (typeof sent === 'object' && sent !== null ? sent : {}) as Body;
  if (typeof content !== 'string') throw refused(`files[${index}].content is required as a string`);
  if (name !== undefined && name !== null && typeof name !== 'string')
    throw refused(`files[${index}].name must be a string`);
  const known = ENCODINGS.find((each) => each === encoding);
  return { name: pathOf(name || `file${index}.code`), content, encoding: known ?? 'utf8' };
}

/** Relative to the working folder, without `.` and `..`. */
function pathOf(name: string): string {
  const path = posix.join('.', name).replace(/^\/+/, '');
  if (path === '..' || path.startsWith('../'))
    throw refused(`File path "${name}" tries to escape parent directory: ${path}`);
  return path;
}

/** Piston ends the last line of what it sends. */
function stdinIn(sent: unknown): string {
  if (sent !== undefined && sent !== null && typeof sent !== 'string') throw refused('stdin must be a string');
  const stdin = sent ?? '';
  return stdin.endsWith('\n') ? stdin : `${stdin}\n`;
}

function argsIn(sent: unknown): string[] {
  if (sent === undefined || sent === null) return [];
  if (Array.isArray(sent) && sent.every((each) => typeof each === 'string')) return sent;
  throw refused('args must be an array of strings');
}

type LimitName = `${'compile' | 'run'}_${'memory_limit' | 'timeout' | 'cpu_time'}`;

/** In Piston's order. 0: no maximum. */
function maximaOf({ compile }: Runtime, { maximaByField }: OperatorRules): [LimitName, number][] {
  const compileMs = compile ? compile.timeout_seconds * MS_PER_SECOND : 0;
  const cpuMs = maximaByField['limits.cpu_time_seconds']! * MS_PER_SECOND;
  return [
    ['compile_memory_limit', (compile?.limits.memory_mb ?? 0) * BYTES_PER_MIB],
    ['run_memory_limit', maximaByField['limits.memory_mb']! * BYTES_PER_MIB],
    ['compile_timeout', compileMs],
    ['run_timeout', Math.min(maximaByField['timeout_seconds']! * MS_PER_SECOND, RUN_TIMEOUT_MS_MAX)],
    ['compile_cpu_time', compile ? compileMs * Math.max(compile.limits.cpus, 1) : 0],
    ['run_cpu_time', Math.min(cpuMs, RUN_TIMEOUT_MS_MAX)],
  ];
}

/**
 * Limits of the compiler are checked and not applied: its runtime declares them.
 * @throws HttpProblem 400 with Piston's text
 */
export function limitsIn(sent: unknown, runtime: Runtime, rules: OperatorRules): PistonLimits {
  const maxima = maximaOf(runtime, rules);
  for (const [name, maximum] of maxima) requireAllowed(name, (sent as Body)[name], maximum);
  const maximum = Object.fromEntries(maxima) as Record<LimitName, number>;
  const asked = (name: LimitName, otherwise: number): number => {
    const value = (sent as Body)[name];
    return typeof value === 'number' && value > 0 ? value : Math.min(otherwise, maximum[name]);
  };
  return {
    run_timeout: asked('run_timeout', RUN_TIMEOUT_MS),
    run_cpu_time: asked('run_cpu_time', RUN_TIMEOUT_MS),
    run_memory_limit: asked('run_memory_limit', DEFAULT_LIMITS.memory_mb * BYTES_PER_MIB),
  };
}

function requireAllowed(name: LimitName, value: unknown, maximum: number): void {
  if (!value) return;
  if (typeof value !== 'number') throw refused(`If specified, ${name} must be a number`);
  // As documented: -1 is "no limit", which is the default.
  if (maximum <= 0 || (value === -1 && name.endsWith('memory_limit'))) return;
  if (value > maximum) throw refused(`${name} cannot exceed the configured limit of ${maximum}`);
  if (value < 0) throw refused(`${name} must be non-negative`);
}

/** The least limits that a task can have. */
const SECONDS_LEAST = 0.1;

const secondsOf = (ms: number): number => Math.max(ms / MS_PER_SECOND, SECONDS_LEAST);

/** The body of `POST /executions` for the same run. */
export function oneShotOf({ files, stdin, args }: PistonProgram, limits: PistonLimits, runtime: Runtime) {
  const main = files.findIndex(({ encoding }) => encoding === 'utf8');
  if (main === -1) throw refused('files must include at least one utf8 encoded file');
  const { pids, memory_mb } = floorOf(runtime);
  return {
    name: `Piston: ${runtime.name}`,
    script_type: runtime.name,
    // A script has at least one character.
    script_content: files[main]!.content || '\n',
    metadata: { facade: 'piston' },
    timeout_seconds: secondsOf(limits.run_timeout),
    limits: {
      memory_mb: Math.max(Math.ceil(limits.run_memory_limit / BYTES_PER_MIB), memory_mb),
      pids: Math.max(DEFAULT_LIMITS.pids, pids),
      cpu_time_seconds: secondsOf(limits.run_cpu_time),
    },
    input: { stdin, args, files: files.filter((_, index) => index !== main).map(inputFileOf) },
  };
}

const inputFileOf = ({ name: path, content, encoding }: PistonFile) =>
  encoding === 'hex'
    ? { path, content: Buffer.from(content, 'hex').toString('base64'), encoding: 'base64' as const }
    : { path, content, encoding };
