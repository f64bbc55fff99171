import type { EndReport } from '../../../src/sandbox/end-of-run.js';

/** What a launcher tells of a program that ended with exit code 0 and reached no limit, but for what a test says. */
export const endReport = (changes: Partial<EndReport> = {}): EndReport => ({
  waitStatus: 0,
  killed: 'none',
  phase: 'program',
  compileTimeMs: null,
  wallTimeMs: 1,
  cpuTimeMs: 1,
  memoryPeakBytes: 1,
  oomKills: 0,
  pidsLimitHits: 0,
  full: { tmp: false, tmpInodes: false, shm: false, shmInodes: false },
  bytes: { stdout: 0, stderr: 0 },
  truncated: { stdout: false, stderr: false },
  ...changes,
});
