import type { EndReport } from '../../../src/sandbox/end-of-run.js';

/** A launcher's report on a program that exited with code 0 and reached no limit; a test may change fields. */
export const endReport = (changes: Partial<EndReport> = {}): EndReport => ({
  waitStatus: 0,
  killed: 'none',
  wallTimeMs: 1,
  cpuTimeMs: 1,
  memoryPeakBytes: 1,
  oomKills: 0,
  pidsLimitHits: 0,
  full: { tmp: false, tmpInodes: false, shm: false, shmInodes: false },
  bytes: { stdout: 0, stderr: 0 },
  truncated: { stdout: false, stderr: false },
  preload: 'unused',
  ...changes,
});
