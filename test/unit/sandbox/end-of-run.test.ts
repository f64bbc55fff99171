import { endOfRun, parseEndRecord, signalName } from '../../../src/platform/sandbox/end-of-run.js';

const report = (waitStatus: number, oomKills = 0) => ({ waitStatus, oomKills, cpuTimeMs: 1, memoryPeakBytes: 1 });
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
  ['a timeout', report(9), 'timeout', 'timeout', null, null],
  ['a timeout in want of memory', report(9, 3), 'timeout', 'timeout', null, null],
  ['a cancel', report(9), 'cancelled', 'cancelled', null, null],
  ['an end just before the timeout', report(exited(0)), 'timeout', 'exit_code', 0, null],
  ['a crash just before the cancel', report(11), 'cancelled', 'signal', 139, 'SIGSEGV'],
] as const)('%s', (_, told, interruption, reason, returnCode, signal) => {
  expect(endOfRun(told, interruption)).toEqual({ reason, returnCode, signal });
});

it('reads PID 1’s record, with null for what could not be measured', () => {
  expect(parseEndRecord('end status=256 cpu_us=1500 memory=4096 oom=2')).toEqual({
    waitStatus: 256,
    cpuTimeMs: 2,
    memoryPeakBytes: 4096,
    oomKills: 2,
  });
  expect(parseEndRecord('end status=0 cpu_us=-1 memory=-1 oom=0')).toMatchObject({
    cpuTimeMs: null,
    memoryPeakBytes: null,
  });
  for (const other of ['end', 'end status=x', 'start', '']) expect(parseEndRecord(other)).toBeNull();
});

it('names signals as signal(7) does', () => {
  expect([6, 9, 15, 29, 40, 33].map(signalName)).toEqual([
    'SIGABRT',
    'SIGKILL',
    'SIGTERM',
    'SIGIO',
    'SIGRTMIN+6',
    'SIG33',
  ]);
});
