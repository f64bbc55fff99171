import { unreachable } from '../../kernel/errors.js';
import type { SandboxOutcome } from '../../sandbox/sandbox.js';
import type { Verdict } from '../../tasks/domain/test-results.js';

export interface Judged {
  readonly verdict: Verdict;
  /** For people; null if nothing is to be said. */
  readonly message: string | null;
}

export const ACCEPTED: Judged = { verdict: 'accepted', message: null };

/**
 * Judges how a run of the program ended, without its output. The limits come first: a program that prints the right
 * thing and crashes has crashed, and one whose output is cut cannot be compared.
 * @returns null if its output decides
 */
export function judgedEnd(outcome: SandboxOutcome, expectedReturnCode: number): Judged | null {
  const limit = limitReached(outcome);
  if (limit) return limit;
  const { signal, returnCode } = outcome;
  if (returnCode === expectedReturnCode) return null;
  if (signal !== null) return { verdict: 'runtime_error', message: `ended by ${signal}` };
  const message = `return code ${returnCode}, expected ${expectedReturnCode}`;
  return { verdict: returnCode === 0 ? 'wrong_answer' : 'runtime_error', message };
}

/** Also if only a child of the program met it, and the program went on. */
function limitReached({ reason, oomKills, stdout, notes }: SandboxOutcome): Judged | null {
  if (reason === 'out_of_memory' || oomKills > 0) return { verdict: 'memory_limit', message: notes.join('; ') || null };
  if (stdout.truncated) return { verdict: 'output_limit', message: `${stdout.bytesTotal} bytes were printed` };
  switch (reason) {
    case 'timeout':
      return { verdict: 'time_limit', message: 'the time limit was reached' };
    case 'cpu_time':
      return { verdict: 'time_limit', message: 'the limit of CPU time was reached' };
    case 'exit_code':
    case 'signal':
      return null;
    case 'compile':
    case 'cancelled':
      throw new Error(`a run that ended by ${reason} has no verdict`);
    default:
      return unreachable(reason);
  }
}
