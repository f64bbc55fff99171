import { constants } from 'node:os';

import type { Execution } from '@voidrunner/client';

import { EXIT_FAULTS, EXIT_NOT_COMPILED, EXIT_NOT_RUN, EXIT_SIGNAL_BASE, EXIT_TIME_LIMIT } from '../../exit-codes.js';
import { warn } from '../../output.js';
import { durationText } from '../terminal/figures.js';
import { printable } from '../terminal/text.js';

const signalNumber = (name: string | null): number =>
  (constants.signals as Readonly<Record<string, number>>)[name ?? ''] ?? 0;

/** The exit code of the program, or of what ended it. */
export function exitCodeOf(execution: Execution): number {
  const { status, termination_reason, return_code, signal, test_count, verdict } = execution;
  if (test_count > 0 && verdict !== null && verdict !== 'compile_error')
    return verdict === 'accepted' ? 0 : EXIT_FAULTS;
  switch (termination_reason) {
    case 'signal':
      return EXIT_SIGNAL_BASE + signalNumber(signal);
    case 'out_of_memory':
      return EXIT_SIGNAL_BASE + constants.signals.SIGKILL;
    case 'timeout':
    case 'cpu_time':
    case 'expired':
      return EXIT_TIME_LIMIT;
    case 'compile':
      return EXIT_NOT_COMPILED;
    case 'cancelled':
    case 'infrastructure':
      return EXIT_NOT_RUN;
    case 'exit_code':
    case null:
      return status === 'completed' || return_code !== null ? (return_code ?? 0) : EXIT_NOT_RUN;
  }
}

/** What ended the program, if that was not the program itself; null otherwise. */
function reasonOf({ termination_reason, signal, execution_time_ms, status }: Execution): string | null {
  switch (termination_reason) {
    case 'signal':
      return `the program was ended by ${signal ?? 'a signal'}`;
    case 'out_of_memory':
      return 'the program ran out of memory: --memory sets its limit';
    case 'timeout':
      return `the program reached its time limit after ${durationText(execution_time_ms)}: --timeout sets it`;
    case 'cpu_time':
      return 'the program reached its limit of CPU time';
    case 'expired':
      return 'nobody reported the end of the execution';
    case 'compile':
      return 'the program does not compile';
    case 'infrastructure':
      return 'the server could not run the program: try again';
    case 'cancelled':
      return 'the execution was cancelled';
    case 'exit_code':
    case null:
      return status === 'cancelled' ? 'the execution was cancelled' : null;
  }
}

/** On standard error: the compiler's messages, what ended the program, and what is missing of its output. */
export function reportEnd(execution: Execution): void {
  const { termination_reason, compile, stdout_truncated, stderr_truncated, notes, files_skipped } = execution;
  if (termination_reason === 'compile') {
    for (const text of [compile?.stdout, compile?.stderr]) {
      if (text) process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
    }
  }
  const reason = reasonOf(execution);
  if (reason !== null) warn(`voidrunner: ${reason}`);
  if (stdout_truncated) warn('voidrunner: standard output was longer than the server keeps: its end is missing');
  if (stderr_truncated) warn('voidrunner: standard error was longer than the server keeps: its end is missing');
  for (const note of notes) warn(`voidrunner: ${printable(note)}`);
  for (const { path, reason: why } of files_skipped) warn(`voidrunner: ${printable(path)} was not kept: ${why}`);
}
