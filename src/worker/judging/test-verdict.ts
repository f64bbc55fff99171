import { unreachable } from '../../kernel/errors.js';
import type { SandboxOutcome } from '../../sandbox/sandbox.js';
import { type Comparison, differenceOf } from './compare-output.js';

/** In the words of judges. `compile_error` and `checker_failed` are not verdicts on a run of the program. */
export type RunVerdict = 'accepted' | 'wrong_answer' | 'time_limit' | 'memory_limit' | 'output_limit' | 'runtime_error';

/** What a test expects of the program's end. */
export interface Expectation {
  /** Null: any. */
  readonly stdout: Buffer | null;
  readonly returnCode: number;
  readonly comparison: Comparison;
}

export interface Judged {
  readonly verdict: RunVerdict;
  /** For people; null if nothing is to be said. */
  readonly message: string | null;
}

const ACCEPTED: Judged = { verdict: 'accepted', message: null };

/**
 * The limits come first, then the end, then the output: a program that prints the right thing and crashes has crashed,
 * and one whose output is cut cannot be compared.
 */
export function judgedRun(outcome: SandboxOutcome, { stdout, returnCode, comparison }: Expectation): Judged {
  const limit = limitReached(outcome);
  if (limit) return limit;
  if (outcome.signal !== null) return { verdict: 'runtime_error', message: `ended by ${outcome.signal}` };
  if (outcome.returnCode !== returnCode) {
    return { verdict: 'runtime_error', message: `return code ${outcome.returnCode}, expected ${returnCode}` };
  }
  if (stdout === null) return ACCEPTED;
  const { buffer, byteOffset, byteLength } = outcome.stdout.content;
  const message = differenceOf(comparison, stdout, Buffer.from(buffer, byteOffset, byteLength));
  return message === null ? ACCEPTED : { verdict: 'wrong_answer', message };
}

function limitReached({ reason, stdout }: SandboxOutcome): Judged | null {
  switch (reason) {
    case 'timeout':
      return { verdict: 'time_limit', message: 'the time limit was reached' };
    case 'cpu_time':
      return { verdict: 'time_limit', message: 'the limit of CPU time was reached' };
    case 'out_of_memory':
      return { verdict: 'memory_limit', message: null };
    case 'exit_code':
    case 'signal':
      return stdout.truncated ? { verdict: 'output_limit', message: `${stdout.bytesTotal} bytes were printed` } : null;
    case 'compile':
    case 'cancelled':
      throw new Error(`a run that ended by ${reason} has no verdict`);
    default:
      return unreachable(reason);
  }
}
