import { constants } from 'node:os';

import type { SandboxOutcome, TerminationReason, OutputStreamName } from './sandbox.js';

/** What the launcher says of the program's end. */
export interface EndReport {
  /** As wait(2) gives it: the signal in the low 7 bits, the exit code above 8. */
  readonly waitStatus: number;
  /**
   * Who ended the program, if it did not end by itself before that: the launcher at its deadline, or since it had too
   * many locks of files; or the host.
   */
  readonly killed: 'none' | 'deadline' | 'host' | 'locks';
  /** What ended: the program, or a compiler that made none. */
  readonly phase: 'compile' | 'program';
  /** From the compiler's exec to the program's; null where there was none, or it made no program. */
  readonly compileTimeMs: number | null;
  /** From the exec to the death of the last process. */
  readonly wallTimeMs: number;
  readonly cpuTimeMs: number | null;
  readonly memoryPeakBytes: number | null;
  /** Processes of the cell that the kernel killed for want of memory meanwhile. */
  readonly oomKills: number;
  /** Processes and threads that the limit refused meanwhile. */
  readonly pidsLimitHits: number;
  /** What had no room, or no inode, left at some time. */
  readonly full: { readonly [Place in 'tmp' | 'tmpInodes' | 'shm' | 'shmInodes']: boolean };
  /** What the program wrote, kept or not. */
  readonly bytes: Readonly<Record<OutputStreamName, number>>;
  readonly truncated: Readonly<Record<OutputStreamName, boolean>>;
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

/** @throws Error for a text that is no trailer: the launcher and this host do not speak the same language */
export function parseTrailer(text: string): EndReport {
  const facts = new Map(text.split('\n').map((line) => line.split('=', 2) as [string, string]));
  const number = (key: string): number => {
    const value = facts.get(key) ?? '';
    if (!/^-?\d+$/.test(value)) throw new Error(`the trailer of a run has no ${key}`);
    return Number(value);
  };
  const flag = (key: string): boolean => number(key) === 1;
  const known = (value: number): number | null => (value < 0 ? null : value);
  const ms = (us: number | null): number | null => (us === null ? null : Math.round(us / 1000));

  return {
    waitStatus: number('status'),
    killed: killerOf(facts.get('killed')),
    phase: phaseOf(facts.get('phase')),
    compileTimeMs: ms(known(number('compile_us'))),
    wallTimeMs: Math.round(number('wall_us') / 1000),
    cpuTimeMs: ms(known(number('cpu_us'))),
    memoryPeakBytes: known(number('memory_peak')),
    oomKills: Math.max(0, number('oom_kills')),
    pidsLimitHits: Math.max(0, number('pids_limit_hits')),
    full: {
      tmp: flag('tmp_full'),
      tmpInodes: flag('tmp_inodes_full'),
      shm: flag('shm_full'),
      shmInodes: flag('shm_inodes_full'),
    },
    bytes: { stdout: number('stdout_bytes'), stderr: number('stderr_bytes') },
    truncated: { stdout: flag('stdout_truncated'), stderr: flag('stderr_truncated') },
  };
}

function killerOf(value: string | undefined): EndReport['killed'] {
  if (value === 'none' || value === 'deadline' || value === 'host' || value === 'locks') return value;
  throw new Error('the trailer of a run does not say who ended it');
}

function phaseOf(value: string | undefined): EndReport['phase'] {
  if (value === 'compile' || value === 'program') return value;
  throw new Error('the trailer of a run does not say what ended');
}

const signalOf = (report: EndReport): number => report.waitStatus & 0x7f;

/** How the program ended, from what the launcher saw. @param interruption why the host asked for the end, if it did */
export function endOfRun(report: EndReport, interruption: Interruption | null): RunEnd {
  const compiles = report.phase === 'compile';
  if (report.killed === 'deadline') return compiles ? ended('compile', null, null) : interrupted('timeout');
  if (report.killed === 'host' && interruption !== null) return interrupted(interruption);
  // The kernel's memory, which it counts as nobody's.
  if (report.killed === 'locks') return compiles ? ended('compile', null, null) : OUT_OF_MEMORY;
  const signal = signalOf(report);
  const exitCode = report.waitStatus >> 8;
  if (report.oomKills > 0 && (signal === SIGKILL || exitCode === 128 + SIGKILL)) return OUT_OF_MEMORY;
  if (signal !== 0) return ended(compiles ? 'compile' : 'signal', 128 + signal, signalName(signal));
  return ended(compiles ? 'compile' : 'exit_code', exitCode, null);
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
