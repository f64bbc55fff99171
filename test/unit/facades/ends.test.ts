import * as fc from 'fast-check';

import { isSameOutput, submissionEnd } from '../../../src/facades/judge0/submission-end.js';
import { STATUSES, statusOf } from '../../../src/facades/judge0/statuses.js';
import { endOf, stagesOf } from '../../../src/facades/piston/piston-result.js';
import { VERDICTS } from '../../../src/tasks/domain/test-results.js';

const output = (truncated = false) => ({ payload: null, bytes_total: 0, truncated });
const row = (more: object = {}) =>
  ({
    ...{ status: 'completed', termination_reason: 'exit_code', return_code: 0, signal: null, verdict: null },
    ...{ stdout: output(), stderr: output(), cpu_time_ms: 10, execution_time_ms: 20, memory_usage_bytes: 30 },
    compile: null,
    ...more,
  }) as any;
const failed = (termination_reason: string, more: object = {}) =>
  row({ status: 'failed', termination_reason, ...more });

const ENDS: [string, any, string | null, number][] = [
  ['success', row(), null, 3],
  ['exit code', failed('exit_code', { return_code: 3 }), 'RE', 11],
  ['SIGSEGV', failed('signal', { signal: 'SIGSEGV', return_code: 139 }), 'SG', 7],
  ['SIGXFSZ', failed('signal', { signal: 'SIGXFSZ', return_code: 153 }), 'SG', 8],
  ['SIGFPE', failed('signal', { signal: 'SIGFPE', return_code: 136 }), 'SG', 9],
  ['SIGABRT', failed('signal', { signal: 'SIGABRT', return_code: 134 }), 'SG', 10],
  ['SIGTERM', failed('signal', { signal: 'SIGTERM', return_code: 143 }), 'SG', 12],
  ['memory', failed('out_of_memory', { signal: 'SIGKILL', return_code: 137 }), 'SG', 12],
  ['wall time', failed('timeout', { status: 'timeout', return_code: null }), 'TO', 5],
  ['CPU time', failed('cpu_time', { status: 'timeout', return_code: null }), 'TO', 5],
  ['stdout', row({ stdout: output(true) }), 'OL', 8],
  ['stderr', row({ stderr: output(true) }), 'EL', 8],
  ['infrastructure', failed('infrastructure', { return_code: null, stdout: null, stderr: null }), 'XX', 13],
  ['cancelled', failed('cancelled', { status: 'cancelled', return_code: null }), 'XX', 13],
];

test.each(ENDS)('%s', async (_name, ended, word, id) => {
  expect(endOf(ended).status).toBe(word);
  expect(await submissionEnd(ended, 5, async () => true)).toMatchObject({ status: id });
});

test('a submission waits, runs, is wrong, or uses its extra time', async () => {
  const end = async (of: object, cpuSeconds = 5) =>
    (await submissionEnd(row(of), cpuSeconds, async () => false)).status;
  expect(await end({ status: 'pending' })).toBe(1);
  expect(await end({ status: 'running' })).toBe(2);
  expect(await end({})).toBe(4);
  expect(await end({ cpu_time_ms: 5_001 })).toBe(5);
  expect(await end({ cpu_time_ms: 5_001 }, 0)).toBe(4);
  expect(await end({ status: 'failed', termination_reason: 'compile', return_code: null })).toBe(6);
});

test('an output that is no longer kept is not compared', async () => {
  const end = await submissionEnd(row(), 5, async () => null);
  expect(end).toMatchObject({ status: 13, message: expect.stringContaining('no longer kept') });
});

test('an execution with tests has the status of its verdict', async () => {
  const ids = await Promise.all(
    VERDICTS.map(async (verdict) => (await submissionEnd(row({ verdict }), undefined, async () => true)).status),
  );
  expect(ids).toEqual([3, 4, 5, 12, 8, 11, 6, 13]);
});

test('the statuses are Judge0’s fourteen', () => {
  expect(STATUSES.map(({ id }) => id)).toEqual(Array.from({ length: 14 }, (_, index) => index + 1));
  expect(statusOf(14)).toEqual({ id: 14, description: 'Exec Format Error' });
});

test('stages have their texts, stdout before stderr', () => {
  const outputs = { stdout: Buffer.from('out\n'), stderr: Buffer.from([0x65, 0xff]) };
  expect(stagesOf(row(), outputs, null)).toEqual({
    run: {
      ...{ stdout: 'out\n', stderr: 'e\u{fffd}', output: 'out\ne\u{fffd}', code: 0, signal: null, message: null },
      ...{ status: null, memory: 30, cpu_time: 10, wall_time: 20 },
    },
  });
  const slow = failed('compile', { compile: { return_code: null, wall_time_ms: 9 } });
  const { compile, run } = stagesOf(slow, { stdout: null, stderr: null }, outputs);
  expect(compile).toMatchObject({ status: 'TO', signal: 'SIGKILL', code: null, wall_time: 9 });
  expect(run).toBe(compile);
});

test.each([
  ['a\nb', 'a \t\nb\r\n\n', true],
  ['a', ' a', false],
  ['a\n\nb', 'a\nb', false],
  ['', '\0\n', true],
  ['é', 'é', true],
])('%o and %o are the same: %s', (expected, found, isSame) => {
  expect(isSameOutput(Buffer.from(expected), Buffer.from(found))).toBe(isSame);
});

test('blanks at ends never count, anything else does', () => {
  const line = fc
    .string()
    .filter((text) => !/[\n\r]/.test(text) && text === text.replace(/[\s\0]+$/, '') && text !== '');
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.constantFrom('', ' ', '\t\r', '\v\f\0'), (lines, blanks) => {
      const expected = Buffer.from(lines.join('\n'));
      expect(isSameOutput(expected, Buffer.from(`${lines.join(`${blanks}\n`)}${blanks}\n`))).toBe(true);
      expect(isSameOutput(expected, Buffer.from(`${lines.join('\n')}x`))).toBe(false);
    }),
  );
});
