import type { CellKind } from './cell-kind.js';
import type { CollectedFiles, FilesMax } from './collected-files.js';
import type { EndReport } from './end-of-run.js';
import { shmSizeMb, TMP_INODES_MAX } from './job-bundle.js';
import type { CapturedOutput, OutputStreamName } from './sandbox.js';

/** As in infra/launcher/locks.h. */
const FILE_LOCKS_MAX = 4_096;

/** The limits that a run reached, to distinguish them from a fault of the program. Constant texts with figures. */
export function notesOf(
  report: EndReport,
  kind: CellKind,
  output: Readonly<Record<OutputStreamName, CapturedOutput>>,
  isCpuTimeLimited = false,
): string[] {
  const { full } = report;
  return [
    ...(report.pidsLimitHits > 0 ? [reached(`${kind.pids} processes`, times(report.pidsLimitHits))] : []),
    ...(report.killed === 'locks' ? [reached(`${grouped(FILE_LOCKS_MAX)} locks of files`)] : []),
    ...(report.cpuTimeMs === null && isCpuTimeLimited
      ? ['the limit of CPU time is not enforced: this host does not count it']
      : []),
    ...(report.killed === 'cpu_time' ? [reached('CPU time')] : []),
    ...(report.oomKills > 0 ? [reached(memoryOf(kind), killed(report.oomKills))] : []),
    ...(full.tmp ? [reached(`${kind.tmpSizeMb} MiB in /tmp`)] : []),
    ...(full.tmpInodes ? [reached(`${grouped(TMP_INODES_MAX)} files in /tmp`)] : []),
    ...(full.shm ? [reached(`${shmSizeMb(kind)} MiB in /dev/shm`)] : []),
    ...(full.shmInodes ? [reached(`${grouped(TMP_INODES_MAX)} files in /dev/shm`)] : []),
    ...outputNote('stdout', output.stdout),
    ...outputNote('stderr', output.stderr),
  ];
}

/** For a run whose launcher was killed with it. */
export const outOfMemoryNotes = (kind: Pick<CellKind, 'memoryMb'>): string[] => [reached(memoryOf(kind))];

/** What is not said of each file by itself. */
export function fileNotes({ matches, files, skipped, unmatched, complete }: CollectedFiles, max: FilesMax): string[] {
  const left = matches - files.length - skipped.length;
  return [
    ...(complete ? [] : ['the output files are incomplete: there were too many, or no time or memory was left']),
    ...(left > 0
      ? [reached(`${max.count} output files, or of the bytes of their paths,`, `${grouped(left)} left out`)]
      : []),
    ...(unmatched.length > 0 ? [`no file matches these of outputs, counted from 0: ${unmatched.join(', ')}`] : []),
  ];
}

const reached = (limit: string, detail?: string): string =>
  `the limit of ${limit} was reached${detail === undefined ? '' : ` (${detail})`}`;

const memoryOf = ({ memoryMb }: Pick<CellKind, 'memoryMb'>): string => `${memoryMb} MiB of memory`;

const times = (count: number): string => (count === 1 ? 'once' : `${grouped(count)} times`);

const killed = (count: number): string =>
  count === 1 ? '1 process was killed' : `${grouped(count)} processes were killed`;

function outputNote(stream: OutputStreamName, { content, bytesTotal, truncated }: CapturedOutput): string[] {
  if (!truncated) return [];
  const left = bytesTotal - content.length;
  return [
    reached(
      `${grouped(content.length)} bytes of ${stream}`,
      `${grouped(left)} ${left === 1 ? 'byte' : 'bytes'} left out`,
    ),
  ];
}

const grouped = (count: number): string => count.toLocaleString('en-US');
