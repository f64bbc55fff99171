import { constants } from 'node:os';

import type { SandboxOutcome, TerminationReason, OutputStreamName } from './sandbox.js';

const KILLERS = ['none', 'deadline', 'host', 'locks', 'cpu_time'] as const;

/** The launcher's report about the program's end. */
export interface EndReport {
  /** As wait(2) gives it: the signal in the low 7 bits, the exit code above 8. */
  readonly waitStatus: number;
  /**
   * Who ended the program, if it did not end by itself first: the launcher, at the deadline, at the limit of CPU time, or
   * because of too many file locks (`locks`); or the host.
   */
  readonly killed: (typeof KILLERS)[number];
  /** From the exec to the death of the last process. */
  readonly wallTimeMs: number;
  readonly cpuTimeMs: number | null;
  readonly memoryPeakBytes: number | null;
  /** Processes of the cell that the kernel killed during the run because memory ran out. */
  readonly oomKills: number;
  /** Processes and threads that the limit refused during the run. */
  readonly pidsLimitHits: number;
  /** Which file systems had no space, or no inode, left at some time. */
  readonly full: { readonly [Place in 'tmp' | 'tmpInodes' | 'shm' | 'shmInodes']: boolean };
  /** Bytes that the program wrote, kept or not. */
  readonly bytes: Readonly<Record<OutputStreamName, number>>;
  readonly truncated: Readonly<Record<OutputStreamName, boolean>>;
  /** Whether the program was forked from the preloaded interpreter; `lost`: that died just then. */
  readonly preload: 'used' | 'unused' | 'lost';
}

/** Why the host ended the run, if it did. */
export type Interruption = 'timeout' | 'cancelled';

export type RunEnd = Pick<SandboxOutcome, 'reason' | 'returnCode' | 'signal'>;

const SIGKILL = 9;

const signalNames = new Map(
  Object.entries(constants.signals)
    // Of two names for one number, keep the one that signal(7) lists first.
    .filter(([name]) => !['SIGIOT', 'SIGPOLL', 'SIGUNUSED'].includes(name))
    .map(([name, number]) => [number, name]),
);

/** Real-time signals have no fixed names: SIGRTMIN is 34 for glibc. */
export const signalName = (number: number): string =>
  signalNames.get(number) ?? (number >= 34 ? `SIGRTMIN+${number - 34}` : `SIG${number}`);

/** @throws Error if the text is not a trailer: launcher and host use different protocols */
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
    preload: preloadOf(facts.get('preload')),
  };
}

function killerOf(value: string | undefined): EndReport['killed'] {
  const killer = KILLERS.find((known) => known === value);
  if (killer === undefined) throw new Error('the trailer of a run has no valid "killed"');
  return killer;
}

function preloadOf(value: string | undefined): EndReport['preload'] {
  if (value === 'used' || value === 'unused' || value === 'lost') return value;
  throw new Error('the trailer of a run has no valid "preload"');
}

const signalOf = (report: EndReport): number => report.waitStatus & 0x7f;

/** How the program ended, from the launcher's report. @param interruption why the host ended the run, if it did */
export function endOfRun(report: EndReport, interruption: Interruption | null): RunEnd {
  if (report.killed === 'deadline') return interrupted('timeout');
  if (report.killed === 'cpu_time') return ended('cpu_time', null, null);
  if (report.killed === 'host' && interruption !== null) return interrupted(interruption);
  // File locks use kernel memory that is charged to no cgroup.
  if (report.killed === 'locks') return OUT_OF_MEMORY;
  const signal = signalOf(report);
  const exitCode = report.waitStatus >> 8;
  if (report.oomKills > 0 && (signal === SIGKILL || exitCode === 128 + SIGKILL)) return OUT_OF_MEMORY;
  if (signal !== 0) return ended('signal', 128 + signal, signalName(signal));
  return ended('exit_code', exitCode, null);
}

/**
 * Neither exit code 137 nor an OOM kill in the container is proof alone; both together are. A shell reports its killed
 * child as 137, so this holds for bash as well.
 */
export const OUT_OF_MEMORY: RunEnd = ended('out_of_memory', 128 + SIGKILL, 'SIGKILL');

export const interrupted = (interruption: Interruption): RunEnd => ended(interruption, null, null);

function ended(reason: TerminationReason, returnCode: number | null, signal: string | null): RunEnd {
  return { reason, returnCode, signal };
}
