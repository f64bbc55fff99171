import type { SandboxOutcome } from '../../../../src/sandbox/sandbox.js';
import { type Judged, judgedEnd } from '../../../../src/worker/judging/test-verdict.js';
import { anOutcome } from '../../../support/scripted-sandbox.js';

const cut = { content: Buffer.from('42'), bytesTotal: 9_000, truncated: true };

test.each<[what: string, outcome: Partial<SandboxOutcome>, judged: Judged]>([
  [
    'crashes',
    { reason: 'signal', returnCode: 139, signal: 'SIGSEGV' },
    { verdict: 'runtime_error', message: 'ended by SIGSEGV' },
  ],
  ['fails', { returnCode: 1 }, { verdict: 'runtime_error', message: 'return code 1, expected 0' }],
  [
    'is too slow',
    { reason: 'timeout', returnCode: null },
    { verdict: 'time_limit', message: 'the time limit was reached' },
  ],
  [
    'uses too much CPU time',
    { reason: 'cpu_time', returnCode: null },
    { verdict: 'time_limit', message: 'the limit of CPU time was reached' },
  ],
  [
    'needs too much memory',
    { reason: 'out_of_memory', returnCode: 137, signal: 'SIGKILL', oomKills: 1, notes: ['32 MiB'] },
    { verdict: 'memory_limit', message: '32 MiB' },
  ],
  ['has a child that needs too much memory', { oomKills: 1 }, { verdict: 'memory_limit', message: null }],
  ['prints too much', { stdout: cut }, { verdict: 'output_limit', message: '9000 bytes were printed' }],
  [
    'prints without end',
    { stdout: cut, reason: 'timeout', returnCode: null },
    { verdict: 'output_limit', message: '9000 bytes were printed' },
  ],
])('a program that %s', (_, outcome, judged) => {
  expect(judgedEnd(anOutcome(outcome), 0)).toEqual(judged);
});

test('an expected end leaves the verdict to the output', () => {
  expect(judgedEnd(anOutcome(), 0)).toBeNull();
  expect(judgedEnd(anOutcome({ returnCode: 3 }), 3)).toBeNull();
  expect(judgedEnd(anOutcome({ reason: 'signal', returnCode: 134, signal: 'SIGABRT' }), 134)).toBeNull();
});

test('success where a failure is expected is a wrong answer', () => {
  expect(judgedEnd(anOutcome(), 3)).toEqual({ verdict: 'wrong_answer', message: 'return code 0, expected 3' });
});

test.each(['compile', 'cancelled'] as const)('a run that ended by %s has no verdict', (reason) => {
  expect(() => judgedEnd(anOutcome({ reason }), 0)).toThrow('has no verdict');
});
