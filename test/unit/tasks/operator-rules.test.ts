import { type Failure, failureOf } from '../../../src/http/problem.js';
import { OperatorRules, type RequestedRun } from '../../../src/tasks/api/operator-rules.js';
import { declaredRuntimes } from '../../support/declared-runtimes.js';

const rules = new OperatorRules(
  { timeout_seconds: 60, memory_mb: 128, cpus: 0.5, pids: 32, cpu_time_seconds: 30, output_bytes: 2_000 },
  declaredRuntimes,
);
const AT_MOST = { timeout_seconds: 60, limits: { memory_mb: 128, cpus: 0.5, pids: 32 } };

test('limits within the maxima, and missing ones, are accepted', () => {
  rules.accept(AT_MOST);
  rules.accept({});
  rules.accept({ limits: {} });
  rules.accept({ limits: { cpu_time_seconds: null, output_bytes: null } });
});

test.each([
  ['timeout_seconds', { timeout_seconds: 61 }, '61', 60],
  ['limits.memory_mb', { limits: { memory_mb: 129 } }, '129', 128],
  ['limits.cpus', { limits: { cpus: 0.51 } }, '0.51', 0.5],
  ['limits.pids', { limits: { pids: 33 } }, '33', 32],
  ['limits.cpu_time_seconds', { limits: { cpu_time_seconds: 30.1 } }, '30.1', 30],
  ['limits.output_bytes', { limits: { output_bytes: 2_001 } }, '2001', 2_000],
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
    { field: 'limits.memory_mb', value: '16', tag: 'min', message: 'must be at least 32 for go' },
    { field: 'limits.pids', value: '16', tag: 'min', message: 'must be at least 32 for go' },
  ]);
  rules.accept({ ...asked, timeout_seconds: 60, script_type: 'python' });
});

test('an alias becomes the name of its runtime, and the rest of the request stays as it is', () => {
  expect(rules.accept({ script_type: 'golang', timeout_seconds: 1 })).toEqual({
    script_type: 'go',
    timeout_seconds: 1,
  });
  expect(rules.accept({ script_type: 'c++' })).toEqual({ script_type: 'cpp' });
});

test.each(['cobol', 'Python', 'toString', '__proto__', ''])(
  'the runtime %j is a 400 that names all runtimes',
  (name) => {
    expect(failure({ script_type: name, timeout_seconds: 61 }).validationErrors).toEqual([
      {
        field: 'script_type',
        value: name,
        tag: 'oneof',
        message: expect.stringMatching(/bash, c, cpp, go, .*python/) as string,
      },
      { field: 'timeout_seconds', value: '61', tag: 'max', message: 'must be at most 60' },
    ]);
  },
);

/** As in the response. */
function failure(asked: RequestedRun): Failure {
  try {
    rules.accept(asked);
  } catch (error) {
    return failureOf(error);
  }
  throw new Error('nothing was refused');
}
