import type { SandboxOutcome } from '../../../../src/sandbox/sandbox.js';
import { type Judged, judgedRun } from '../../../../src/worker/judging/test-verdict.js';
import { anOutcome } from '../../../support/scripted-sandbox.js';

const printed = (text: string, more: Partial<SandboxOutcome['stdout']> = {}) => ({
  stdout: { content: Buffer.from(text), bytesTotal: Buffer.byteLength(text), truncated: false, ...more },
});
const EXPECTED = { stdout: Buffer.from('42\n'), returnCode: 0, comparison: { compare: 'trimmed' } } as const;

test.each<[what: string, outcome: Partial<SandboxOutcome>, judged: Judged]>([
  ['prints what is expected', printed('42'), { verdict: 'accepted', message: null }],
  ['prints something else', printed('43'), { verdict: 'wrong_answer', message: 'line 1: expected "42", found "43"' }],
  [
    'prints the right thing and crashes',
    { ...printed('42'), reason: 'signal', returnCode: 139, signal: 'SIGSEGV' },
    { verdict: 'runtime_error', message: 'ended by SIGSEGV' },
  ],
  [
    'prints the right thing and fails',
    { ...printed('42'), returnCode: 1 },
    { verdict: 'runtime_error', message: 'return code 1, expected 0' },
  ],
  [
    'prints the right thing and is too slow',
    { ...printed('42'), reason: 'timeout', returnCode: null },
    { verdict: 'time_limit', message: 'the time limit was reached' },
  ],
  [
    'uses too much CPU time',
    { reason: 'cpu_time', returnCode: null },
    { verdict: 'time_limit', message: 'the limit of CPU time was reached' },
  ],
  [
    'prints the right thing and needs too much memory',
    { ...printed('42'), reason: 'out_of_memory', returnCode: 137, signal: 'SIGKILL' },
    { verdict: 'memory_limit', message: null },
  ],
  [
    'prints too much',
    printed('42', { truncated: true, bytesTotal: 9_000 }),
    { verdict: 'output_limit', message: '9000 bytes were printed' },
  ],
  ['prints nothing', printed(''), { verdict: 'wrong_answer', message: 'expected a further line: "42"' }],
])('a program that %s', (_, outcome, judged) => {
  expect(judgedRun(anOutcome(outcome), EXPECTED)).toEqual(judged);
});

test('a test may expect a return code, any output, or none', () => {
  const failing = anOutcome({ ...printed('x'), returnCode: 3 });
  expect(judgedRun(failing, { ...EXPECTED, stdout: null, returnCode: 3 }).verdict).toBe('accepted');
  expect(judgedRun(anOutcome(printed('')), { ...EXPECTED, stdout: Buffer.alloc(0) }).verdict).toBe('accepted');
  expect(judgedRun(anOutcome(printed('x')), { ...EXPECTED, stdout: Buffer.alloc(0) }).verdict).toBe('wrong_answer');
});

test.each(['compile', 'cancelled'] as const)('a run that ended by %s has no verdict', (reason) => {
  expect(() => judgedRun(anOutcome({ reason }), EXPECTED)).toThrow('has no verdict');
});
