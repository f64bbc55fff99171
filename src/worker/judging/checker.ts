import { bufferView } from '../../kernel/buffer-view.js';
import { DEFAULT_LIMITS } from '../../runtimes/default-limits.js';
import { floorOf } from '../../runtimes/runtime.js';
import type { Runtimes } from '../../runtimes/runtimes.js';
import { OF_RUN } from '../../sandbox/job-input.js';
import {
  type CapturedOutput,
  type PreparedProgram,
  type ProgramRun,
  type Sandbox,
  SandboxFailure,
  type SandboxJob,
  type SandboxLimits,
  type SandboxOutcome,
} from '../../sandbox/sandbox.js';
import { TEST_MESSAGE_CHARS_MAX } from '../../tasks/domain/test-results.js';
import type { Judge } from '../../tasks/domain/test-suite.js';
import type { Judged } from './test-verdict.js';

/** Of one run of a checker. A runtime that needs more memory or processes gets its least. */
export interface CheckerBounds {
  readonly limits: Pick<SandboxLimits, 'memory_mb' | 'cpus' | 'pids'>;
  readonly timeoutMs: number;
}

/** Within the operator's maxima. */
export const CHECKER_BOUNDS: CheckerBounds = { limits: DEFAULT_LIMITS, timeoutMs: 10_000 };
const OUTPUT_BYTES_MAX = 16 * 1024;
const ACCEPTED_CODE = 0;
const WRONG_CODE = 1;

/** What a checker compares, as files beside its script. */
export interface CheckedFiles {
  readonly input: Uint8Array;
  readonly expected: Uint8Array;
  readonly output: Uint8Array;
}

/** A program of the task's owner that decides whether an output is right. */
export interface Checker {
  /** @returns null if it was cancelled. @throws SandboxFailure */
  check(files: CheckedFiles, signal: AbortSignal): Promise<Judged | null>;
}

/**
 * @param job of the program that is judged: the checker runs for the same user
 * @returns null if it was cancelled. @throws SandboxFailure
 */
export async function prepareChecker(
  { script_type, script_content }: NonNullable<Judge['checker']>,
  job: SandboxJob,
  {
    sandbox,
    runtimes,
    checkerBounds: { limits: given, timeoutMs } = CHECKER_BOUNDS,
  }: { readonly sandbox: Sandbox; readonly runtimes: Runtimes; readonly checkerBounds?: CheckerBounds },
  signal: AbortSignal,
): Promise<Checker | null> {
  const runtime = runtimes.named(script_type);
  if (!runtime) throw new SandboxFailure(`this worker has no runtime ${script_type} for the checker`, false);
  const floor = floorOf(runtime);
  const limits = {
    ...given,
    memory_mb: Math.max(given.memory_mb, floor.memory_mb),
    pids: Math.max(given.pids, floor.pids),
    output_bytes: OUTPUT_BYTES_MAX,
  };
  const own = { runtime, imageDigest: null, script: Buffer.from(script_content), input: {} };
  const prepared = await sandbox.prepare({ ...job, ...own, limits, timeoutMs }, { signal });
  const bytesMax = OF_RUN.bytesMax - own.script.length;
  if (prepared.kind === 'ready') return checkerOf(prepared.program, { limits, timeoutMs }, bytesMax);
  const { reason, compile } = prepared.outcome;
  if (reason === 'cancelled') return null;
  const failed = failedBecause('it does not compile', compile?.stderr);
  return { check: () => Promise.resolve(failed) };
}

const checkerOf = (
  program: PreparedProgram,
  bounds: Pick<ProgramRun, 'limits' | 'timeoutMs'>,
  bytesMax: number,
): Checker => ({
  check: async ({ input, expected, output }, signal) => {
    if (input.length + expected.length + output.length > bytesMax) return tooLarge(bytesMax);
    const files = Object.entries({ input, expected, output }).map(([path, content]) => ({ path, content }));
    return judgedBy(await program.run({ files, ...bounds }, { signal }));
  },
});

/** Possible only with tests near the limit of an input, or if the operator lets runs keep more output than usual. */
const tooLarge = (bytesMax: number): Judged => ({
  verdict: 'output_limit',
  message: `input, expected and found output exceed ${bytesMax} bytes together`,
});

function judgedBy({ reason, returnCode, signal, stdout, stderr }: SandboxOutcome): Judged | null {
  if (reason === 'cancelled') return null;
  if (reason === 'exit_code' && returnCode === ACCEPTED_CODE)
    return { verdict: 'accepted', message: firstLineOf(stdout) };
  if (reason === 'exit_code' && returnCode === WRONG_CODE)
    return { verdict: 'wrong_answer', message: firstLineOf(stdout) };
  const end =
    reason === 'exit_code' ? `return code ${returnCode}` : reason === 'signal' ? `ended by ${signal}` : reason;
  return failedBecause(end, stdout, stderr);
}

function failedBecause(end: string, ...outputs: readonly (CapturedOutput | undefined)[]): Judged {
  const line = outputs.map((output) => output && firstLineOf(output)).find(Boolean);
  const message = `the checker failed: ${end}${line ? `: ${line}` : ''}`;
  return { verdict: 'checker_failed', message: message.slice(0, TEST_MESSAGE_CHARS_MAX) };
}

/** @returns null if it is blank */
function firstLineOf({ content }: CapturedOutput): string | null {
  const head = bufferView(content.subarray(0, OUTPUT_BYTES_MAX));
  const [line = ''] = head.toString('utf8').split(/\r?\n/, 1);
  return line.trim().slice(0, TEST_MESSAGE_CHARS_MAX) || null;
}
