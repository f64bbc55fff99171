import type { TestResult } from '../../../src/tasks/domain/test-results.js';
import { testView } from '../../../src/tasks/queries/task-view.js';
import { testResultView } from '../../../src/tasks/queries/test-results-view.js';
import { io } from '../../support/builders/suites.js';

const result: TestResult = {
  name: 'secret sum',
  verdict: 'wrong_answer',
  return_code: 0,
  signal: null,
  wall_time_ms: 5,
  cpu_time_ms: 4,
  memory_usage_bytes: 1_000,
  stdout: Buffer.from('5'),
  stderr: Buffer.from(''),
  message: 'line 1: expected "4", found "5"',
  points: 0,
  hidden: true,
};
const files = [{ path: 'data', content: Buffer.from('x') }];

test('who may not change a task sees of its hidden tests their verdicts and figures, and no data', () => {
  const { stdout, stderr, message, ...shown } = testResultView({ ...result, hidden: true }, false);
  expect([stdout, stderr, message]).toEqual([null, null, null]);
  expect(shown).toMatchObject({ name: 'secret sum', verdict: 'wrong_answer', wall_time_ms: 5, hidden: true });
  expect(testView(io('2 2', '4', { hidden: true, args: ['-x'], files }), false)).toEqual({
    ...{ expected_return_code: 0, points: 1, hidden: true },
  });
});

test.each([
  ['a test that is not hidden', false, false],
  ['a hidden test, for who may change the task', true, true],
])('%s is shown as a whole', (_, hidden, showsHidden) => {
  expect(testResultView({ ...result, hidden }, showsHidden)).toMatchObject({ stdout: '5', message: result.message });
  expect(testView(io('2 2', '4', { hidden }), showsHidden)).toMatchObject({ stdin: '2 2', expected_stdout: '4' });
});
