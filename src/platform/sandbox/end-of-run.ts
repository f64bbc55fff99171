import { constants } from 'node:os';

import type { SandboxOutcome, TerminationReason } from '../../kernel/ports/sandbox.js';

/** What PID 1 says of the program's end. */
export interface EndReport {
  /** As wait(2) gives it: the signal in the low 7 bits, the exit code above 8. */
  readonly waitStatus: number;
  readonly cpuTimeMs: number | null;
  readonly memoryPeakBytes: number | null;
  /** Processes of this container that the kernel killed for want of memory. */
  readonly oomKills: number;
}

/** Why the host ended the run, if it did. */
export type Interruption = 'timeout' | 'cancelled';

export type RunEnd = Pick<SandboxOutcome, 'reason' | 'returnCode' | 'signal'>;

const SIGKILL = 9;

const signalNames = new Map(
  Object.entries(constants.signals)
    // Two names for one number: the one that signal(7) lists first.
    .filter(([name]) => !['SIGIOT', 'SIGPOLL', 'SIGUNUSED'].includes(name))
    .map(([name, number]) => [number, name]),
);

/** Real-time signals have no fixed names: SIGRTMIN is 34 for glibc. */
export const signalName = (number: number): string =>
  signalNames.get(number) ?? (number >= 34 ? `SIGRTMIN+${number - 34}` : `SIG${number}`);

const NUMBERS = /^end status=(\d+) cpu_us=(-?\d+) memory=(-?\d+) oom=(\d+)$/;

/** @returns null for a record that is not one of an end */
export function parseEndRecord(record: string): EndReport | null {
  const numbers = NUMBERS.exec(record)?.slice(1).map(Number) as [number, number, number, number] | undefined;
  if (!numbers) return null;
  const [waitStatus, cpuUs, memory, oomKills] = numbers;
  return {
    waitStatus,
    cpuTimeMs: cpuUs < 0 ? null : Math.round(cpuUs / 1000),
    memoryPeakBytes: memory < 0 ? null : memory,
    oomKills,
  };
}

const signalOf = (report: EndReport): number => report.waitStatus & 0x7f;

export const wasKilled = (report: EndReport): boolean => signalOf(report) === SIGKILL;

/** How the program ended, from what PID 1 saw and what the host did. */
export function endOfRun(report: EndReport, interruption: Interruption | null): RunEnd {
  const signal = signalOf(report);
  const exitCode = report.waitStatus >> 8;
  // A program that ended by itself just before the host's signal came has really ended by itself.
  if (interruption !== null && wasKilled(report)) return interrupted(interruption);
  if (report.oomKills > 0 && (wasKilled(report) || exitCode === 128 + SIGKILL)) return OUT_OF_MEMORY;
  if (signal !== 0) return ended('signal', 128 + signal, signalName(signal));
  return ended('exit_code', exitCode, null);
}

/**
 * Exit 137 alone proves nothing and neither does an OOM kill in the container: both together do. A shell passes its
 * child's end on as 137, so that this holds for bash as well.
 */
export const OUT_OF_MEMORY: RunEnd = ended('out_of_memory', 128 + SIGKILL, 'SIGKILL');

export const interrupted = (interruption: Interruption): RunEnd => ended(interruption, null, null);

function ended(reason: TerminationReason, returnCode: number | null, signal: string | null): RunEnd {
  return { reason, returnCode, signal };
}
