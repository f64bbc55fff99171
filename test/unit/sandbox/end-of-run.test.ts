import { type EndReport, endOfRun, parseTrailer, signalName } from '../../../src/sandbox/end-of-run.js';
import { endReport } from '../../support/builders/end-reports.js';

const report = (waitStatus: number, oomKills = 0, killed: EndReport['killed'] = 'none'): EndReport =>
  endReport({ waitStatus, oomKills, killed });
const exited = (code: number) => code << 8;
const SEGV_WITH_CORE = 11 | 0x80;

it.each([
  ['exit 0', report(exited(0)), null, 'exit_code', 0, null],
  ['exit 255', report(exited(255)), null, 'exit_code', 255, null],
  ['exit 137', report(exited(137)), null, 'exit_code', 137, null],
  ['exit 139', report(exited(139)), null, 'exit_code', 139, null],
  ['a crash', report(SEGV_WITH_CORE), null, 'signal', 139, 'SIGSEGV'],
  ['a kill', report(9), null, 'signal', 137, 'SIGKILL'],
  ['the OOM killer', report(9, 1), null, 'out_of_memory', 137, 'SIGKILL'],
  ['a shell whose child the OOM killer took', report(exited(137), 1), null, 'out_of_memory', 137, 'SIGKILL'],
  ['a program that outlived its child’s OOM', report(exited(0), 1), null, 'exit_code', 0, null],
  ['a crash after a child’s OOM', report(11, 1), null, 'signal', 139, 'SIGSEGV'],
  ['the launcher’s deadline', report(9, 0, 'deadline'), null, 'timeout', null, null],
  ['the limit of CPU time', report(9, 0, 'cpu_time'), null, 'cpu_time', null, null],
  ['the deadline while memory is exhausted', report(9, 3, 'deadline'), null, 'timeout', null, null],
  ['the deadline just before the cancel', report(9, 0, 'deadline'), 'cancelled', 'timeout', null, null],
  ['the host’s own deadline', report(9, 0, 'host'), 'timeout', 'timeout', null, null],
  ['a cancel', report(9, 0, 'host'), 'cancelled', 'cancelled', null, null],
  ['an end just before the timeout', report(exited(0)), 'timeout', 'exit_code', 0, null],
  ['a crash just before the cancel', report(11), 'cancelled', 'signal', 139, 'SIGSEGV'],
  ['a kill by itself just before the cancel', report(9), 'cancelled', 'signal', 137, 'SIGKILL'],
] as const)('%s', (_, told, interruption, reason, returnCode, signal) => {
  expect(endOfRun(told, interruption)).toEqual({ reason, returnCode, signal });
});

describe('the trailer', () => {
  const FACTS = {
    status: '256',
    killed: 'none',
    wall_us: '2500',
    cpu_us: '1500',
    memory_peak: '4096',
    memory_source: 'sampled',
    oom_kills: '2',
    pids_limit_hits: '12',
    tmp_full: '1',
    tmp_inodes_full: '0',
    shm_full: '0',
    shm_inodes_full: '1',
    stdout_bytes: '70000',
    stderr_bytes: '5',
    stdout_truncated: '1',
    stderr_truncated: '0',
    preload: 'used',
  };
  const trailer = (changes: Partial<Record<keyof typeof FACTS, string | null>> = {}): string =>
    Object.entries({ ...FACTS, ...changes })
      .map(([key, value]) => (value === null ? '' : `${key}=${value}\n`))
      .join('');

  it('is parsed', () => {
    expect(parseTrailer(trailer())).toEqual({
      waitStatus: 256,
      killed: 'none',
      wallTimeMs: 3,
      cpuTimeMs: 2,
      memoryPeakBytes: 4096,
      oomKills: 2,
      pidsLimitHits: 12,
      full: { tmp: true, tmpInodes: false, shm: false, shmInodes: true },
      bytes: { stdout: 70_000, stderr: 5 },
      truncated: { stdout: true, stderr: false },
      preload: 'used',
    });
  });

  it('has null for figures that could not be measured', () => {
    const nothing = {
      cpu_us: '-1',
      memory_peak: '-1',
      memory_source: 'none',
      oom_kills: '-1',
      pids_limit_hits: '-1',
    };
    const unknown = parseTrailer(trailer(nothing));
    const found = { cpuTimeMs: null, memoryPeakBytes: null, oomKills: 0, pidsLimitHits: 0 };
    expect(unknown).toMatchObject(found);
  });

  it('may contain unknown fields', () => {
    expect(parseTrailer(`${trailer()}news=1\n`)).toEqual(parseTrailer(trailer()));
  });

  it.each([
    ['nothing', ''],
    ['a missing field', trailer({ wall_us: null })],
    ['a field without a value', trailer({ status: '' })],
    ['an invalid number', trailer({ status: 'x' })],
    ['a fraction', trailer({ wall_us: '1.5' })],
    ['an unknown killer', trailer({ killed: 'fate' })],
    ['an unknown preload', trailer({ preload: 'maybe' })],
  ])('is refused with %s', (_, text) => {
    expect(() => parseTrailer(text)).toThrow('the trailer of a run');
  });
});

it('signals are named as in signal(7)', () => {
  expect([6, 9, 15, 29, 40, 33].map(signalName)).toEqual([
    'SIGABRT',
    'SIGKILL',
    'SIGTERM',
    'SIGIO',
    'SIGRTMIN+6',
    'SIG33',
  ]);
});
