import type { EndReport } from '../../../src/sandbox/end-of-run.js';
import { fileNotes, notesOf, outOfMemoryNotes } from '../../../src/sandbox/run-notes.js';
import { runResult } from '../../../src/tasks/domain/execution-events.js';
import { endReport } from '../../support/builders/end-reports.js';
import { aResult } from '../../support/builders/executions.js';

const KIND = {
  isolation: 'nested',
  image: 'go',
  preload: null,
  memoryMb: 256,
  cpus: 1,
  pids: 64,
  tmpSizeMb: 192,
} as const;
const ROOM = { tmp: false, tmpInodes: false, shm: false, shmInodes: false };
const REPORT = endReport();
const all = (bytes: number) => ({ content: Buffer.alloc(bytes), bytesTotal: bytes, truncated: false });
const WRITTEN = { stdout: all(5), stderr: all(0) };

test('a run that reached no limit has none', () => {
  expect(notesOf(REPORT, KIND, WRITTEN)).toEqual([]);
});

test.each<[Partial<EndReport>, string]>([
  [{ pidsLimitHits: 1 }, 'the limit of 64 processes was reached (once)'],
  [{ pidsLimitHits: 12_345 }, 'the limit of 64 processes was reached (12,345 times)'],
  [{ oomKills: 1 }, 'the limit of 256 MiB of memory was reached (1 process was killed)'],
  [{ oomKills: 2 }, 'the limit of 256 MiB of memory was reached (2 processes were killed)'],
  [{ full: { ...ROOM, tmp: true } }, 'the limit of 192 MiB in /tmp was reached'],
  [{ full: { ...ROOM, tmpInodes: true } }, 'the limit of 16,384 files in /tmp was reached'],
  [{ full: { ...ROOM, shm: true } }, 'the limit of 256 MiB in /dev/shm was reached'],
  [{ full: { ...ROOM, shmInodes: true } }, 'the limit of 16,384 files in /dev/shm was reached'],
])('%j: %s', (facts, note) => {
  expect(notesOf({ ...REPORT, ...facts }, KIND, WRITTEN)).toEqual([note]);
});

test('output over the cap has one per stream', () => {
  const cut = { content: Buffer.alloc(1_024), bytesTotal: 1_235_591, truncated: true };
  const notes = notesOf(REPORT, KIND, { stdout: cut, stderr: { ...cut, bytesTotal: 1_025 } });
  expect(notes).toEqual([
    'the limit of 1,024 bytes of stdout was reached (1,234,567 bytes left out)',
    'the limit of 1,024 bytes of stderr was reached (1 byte left out)',
  ]);
});

test('a run whose launcher was also killed by the kernel reached the memory limit', () => {
  expect(outOfMemoryNotes(KIND)).toEqual(['the limit of 256 MiB of memory was reached']);
});

test('every note of a run with the worst files fits into its event', () => {
  const unmatched = Array.from({ length: 16 }, (_, index) => index);
  const worst = { files: [], skipped: [], matches: 4_294_967_295, unmatched, complete: false };
  const notes = fileNotes(worst, { count: 64, bytes: 1 });
  expect(notes).toEqual([
    'the output files are incomplete: there were too many, or no time or memory was left',
    'the limit of 64 output files, or of the bytes of their paths, was reached (4,294,967,295 left out)',
    'no file matches these of outputs, counted from 0: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15',
  ]);
  expect(runResult.safeParse(aResult({ notes })).success).toBe(true);
});
