import { type CellBase, type CellJob, WORKING_FOLDER } from './cell-job.js';
import type { CellKind } from './cell-kind.js';
import type { FilesMax } from './collected-files.js';
import { preloadOf } from './preload.js';

const KIB_PER_MIB = 1024;
/** For a job's own /tmp and /dev/shm, and for those of its container. */
export const TMP_INODES_MAX = 16_384;
/** The tail is held in the cell's own memory until the end of the job. */
const TAIL_BYTES_MAX = 1024 * 1024;

export interface BundleOptions {
  /** The job's number in this cell, chosen by the host. */
  readonly number: number;
  readonly kind: CellKind;
  /** Kept of each stream, stdout and stderr. */
  readonly outputBytesMax: number;
  /** Which of the cell's CPUs is the job's first. */
  readonly cpuFirst: number;
  readonly filesMax: FilesMax;
}

/**
 * Size of /dev/shm, of a job and of its container. Its pages count as memory, so a program reaches the memory limit
 * first. A smaller size ended programs by SIGBUS, without a message.
 */
export const shmSizeMb = (kind: Omit<CellKind, 'pids' | 'tmpSizeMb'>): number =>
  kind.memoryMb + (preloadOf(kind)?.memoryMb ?? 0);

/** Splits the output limit: up to half of it, but at most 1 MiB, for the tail, and the rest for the head. */
export function keptOf(outputBytesMax: number): { readonly headBytesMax: number; readonly tailBytesMax: number } {
  const tailBytesMax = Math.min(Math.floor(outputBytesMax / 2), TAIL_BYTES_MAX);
  return { headBytesMax: outputBytesMax - tailBytesMax, tailBytesMax };
}

const BASE_USES = { none: 0, kept: 1, last: 2 } as const;

/**
 * Encodes a job for the launcher (infra/launcher/README.md): big-endian numbers, length-prefixed strings.
 * @returns parts: large content is not copied
 */
export function encodeJob(
  job: CellJob,
  { number, kind, outputBytesMax, cpuFirst, filesMax }: BundleOptions,
): readonly Uint8Array[] {
  const { headBytesMax, tailBytesMax } = keptOf(outputBytesMax);
  return [
    u32(number),
    u8(kind.isolation === 'nested' ? 1 : 0),
    u8(job.isPreloadable ? 1 : 0),
    u8(BASE_USES[job.base?.use ?? 'none']),
    u8(0),
    u32(job.timeoutMs),
    u32(Math.ceil((job.limits.cpu_time_seconds ?? 0) * 1_000)),
    u32(headBytesMax),
    u32(tailBytesMax),
    u32(kind.tmpSizeMb * KIB_PER_MIB),
    u32(TMP_INODES_MAX),
    u32(shmSizeMb(kind) * KIB_PER_MIB),
    u32(kind.memoryMb),
    u32(Math.max(1, Math.round(kind.cpus * 1_000))),
    u32(kind.pids),
    u32(cpuFirst),
    ...string(WORKING_FOLDER),
    ...list(job.argv),
    ...list(Object.entries(job.env).map(([name, value]) => `${name}=${value}`)),
    ...filesOf(job.files),
    ...string(job.stdin),
    ...list(job.outputs),
    ...string(job.outputsExcept),
    u32(filesMax.count),
    // A single file may use all of it.
    u32(filesMax.bytes),
    u32(filesMax.bytes),
  ];
}

/** Encodes a base likewise. */
export const encodeBase = ({ files, program }: CellBase): readonly Uint8Array[] => [
  ...filesOf(files),
  ...string(program?.path ?? ''),
  ...string(program?.content ?? ''),
];

const filesOf = (files: CellJob['files']): Uint8Array[] => [
  u32(files.length),
  ...files.flatMap(({ path, content }) => [...string(path), ...string(content)]),
];

const u8 = (value: number): Buffer => Buffer.from([value]);

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function string(content: string | Uint8Array): Uint8Array[] {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return [u32(bytes.length), bytes];
}

const list = (items: readonly string[]): Uint8Array[] => [u32(items.length), ...items.flatMap(string)];
