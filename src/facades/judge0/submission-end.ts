import { unreachable } from '../../kernel/errors.js';
import type { ExecutionRow } from '../../tasks/queries/execution-projection.js';
import type { Verdict } from '../../tasks/domain/test-results.js';
import { CPU_TIME_MESSAGE, exitMessage, signalMessage, signalNumber, WALL_TIME_MESSAGE } from '../signals.js';
import type { StatusId } from './statuses.js';

/** How a submission ended, or that it has not. */
export interface SubmissionEnd {
  readonly status: StatusId;
  readonly exit_code: number | null;
  readonly exit_signal: number | null;
  readonly message: string | null;
}

const end = (status: StatusId, more: Partial<SubmissionEnd> = {}): SubmissionEnd => ({
  ...{ status, exit_code: null, exit_signal: null, message: null },
  ...more,
});

/** The signals that have a status of their own. */
const OF_SIGNAL: Readonly<Record<string, StatusId>> = { SIGSEGV: 7, SIGXFSZ: 8, SIGFPE: 9, SIGABRT: 10 };

const bySignal = (signal: string): SubmissionEnd =>
  end(OF_SIGNAL[signal] ?? 12, { exit_signal: signalNumber(signal), message: signalMessage(signal) });

/**
 * @param cpuSeconds of `cpu_time_limit`: a program that used more than that, and not more than the extra time, has
 *   ended by itself
 * @param isAsExpected whether the output is the expected one, or none is expected; null if one of them has been
 *   destroyed. Called only if it matters
 */
export async function submissionEnd(
  row: ExecutionRow,
  cpuSeconds: number | undefined,
  isAsExpected: () => Promise<boolean | null>,
): Promise<SubmissionEnd> {
  if (row.status === 'pending') return end(1);
  if (row.status === 'running') return end(2);
  if (row.verdict !== null) return byVerdict(row.verdict);
  const { termination_reason: reason, signal, return_code } = row;
  if (reason === 'compile') return end(6);
  if (reason === 'timeout') return end(5, { exit_code: 0, message: WALL_TIME_MESSAGE });
  if (reason === 'cpu_time' || usedMore(row, cpuSeconds)) return end(5, { exit_code: 0, message: CPU_TIME_MESSAGE });
  // Judge0 limits the file that the output is written to.
  if (row.stdout?.truncated || row.stderr?.truncated) return bySignal('SIGXFSZ');
  if (reason === 'out_of_memory') return bySignal('SIGKILL');
  if (signal !== null) return bySignal(signal);
  if (return_code !== null && (reason === null || reason === 'exit_code')) {
    if (return_code !== 0) return end(11, { exit_code: return_code, message: exitMessage(return_code) });
    const isSame = await isAsExpected();
    return isSame === null ? end(13, { message: DESTROYED_MESSAGE }) : end(isSame ? 3 : 4, { exit_code: 0 });
  }
  return end(13, { message: `The program was not run: ${reason ?? 'unknown'}` });
}

const DESTROYED_MESSAGE = 'The output is no longer kept, and cannot be compared with the expected one';

const usedMore = ({ cpu_time_ms }: ExecutionRow, cpuSeconds = 0): boolean =>
  cpuSeconds > 0 && cpu_time_ms !== null && cpu_time_ms > cpuSeconds * 1_000;

/** Of an execution with tests, which another client has started. */
function byVerdict(verdict: Verdict): SubmissionEnd {
  switch (verdict) {
    case 'accepted':
      return end(3, { exit_code: 0 });
    case 'wrong_answer':
      return end(4, { exit_code: 0 });
    case 'time_limit':
      return end(5);
    case 'compile_error':
      return end(6);
    case 'output_limit':
      return bySignal('SIGXFSZ');
    case 'runtime_error':
      return end(11);
    case 'memory_limit':
      return bySignal('SIGKILL');
    case 'checker_failed':
      return end(13, { message: 'The checker failed' });
    default:
      return unreachable(verdict);
  }
}

/** Judge0's comparison: blanks at the ends of lines and of the whole do not count. */
export function isSameOutput(expected: Buffer, found: Buffer): boolean {
  return stripped(expected) === stripped(found);
}

/** Ruby's `rstrip` also removes NUL. A loop: the regular expression takes quadratic time for a line of blanks. */
function withoutBlanksAtEnd(text: string): string {
  let length = text.length;
  while (length > 0 && BLANKS.includes(text[length - 1]!)) length -= 1;
  return text.slice(0, length);
}

const BLANKS = '\t\n\v\f\r \0';

const stripped = (bytes: Buffer): string =>
  withoutBlanksAtEnd(bytes.toString('latin1').split('\n').map(withoutBlanksAtEnd).join('\n'));
