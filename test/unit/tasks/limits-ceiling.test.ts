import { type Failure, failureOf } from '../../../src/http/problem.js';
import { type RequestedLimits, ExecutionLimitsCeiling } from '../../../src/tasks/api/limits-ceiling.js';

const ceiling = new ExecutionLimitsCeiling({ timeout_seconds: 60, memory_mb: 128, cpus: 0.5, pids: 32 });
const AT_MOST = { timeout_seconds: 60, limits: { memory_mb: 128, cpus: 0.5, pids: 32 } };

test('limits within the maxima, and missing ones, are accepted', () => {
  ceiling.check(AT_MOST);
  ceiling.check({});
  ceiling.check({ limits: {} });
});

test.each([
  ['timeout_seconds', { timeout_seconds: 61 }, '61', 60],
  ['limits.memory_mb', { limits: { memory_mb: 129 } }, '129', 128],
  ['limits.cpus', { limits: { cpus: 0.51 } }, '0.51', 0.5],
  ['limits.pids', { limits: { pids: 33 } }, '33', 32],
])('a higher one is a 400 that names %s', (field, asked, value, max) => {
  const error = { field, value, tag: 'max', message: `must be at most ${max}` };
  expect(failure(asked)).toMatchObject({ status: 400, code: 'validation_failed', validationErrors: [error] });
});

test('all limits that are too high are named at once', () => {
  const asked = { timeout_seconds: 61, limits: { memory_mb: 129, cpus: 1, pids: 33 } };
  const fields = ['timeout_seconds', 'limits.memory_mb', 'limits.cpus', 'limits.pids'];
  expect(failure(asked).validationErrors?.map(({ field }) => field)).toEqual(fields);
});

test('limits below the language’s minimum are a 400 that names minimum and language, beside those too high', () => {
  const asked = { script_type: 'go', timeout_seconds: 61, limits: { memory_mb: 16, pids: 16 } } as const;
  expect(failure(asked).validationErrors).toEqual([
    { field: 'timeout_seconds', value: '61', tag: 'max', message: 'must be at most 60' },
    { field: 'limits.memory_mb', value: '16', tag: 'min', message: 'must be at least 64 for go' },
    { field: 'limits.pids', value: '16', tag: 'min', message: 'must be at least 32 for go' },
  ]);
  ceiling.check({ ...asked, timeout_seconds: 60, script_type: 'python' });
});

/** As in the response. */
function failure(asked: RequestedLimits): Failure {
  try {
    ceiling.check(asked);
  } catch (error) {
    return failureOf(error);
  }
  throw new Error('nothing was refused');
}
