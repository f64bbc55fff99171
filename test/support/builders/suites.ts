import type { Judge, TestCase, TestSuite } from '../../../src/tasks/domain/test-suite.js';

export const aTest = (changes: Partial<TestCase> = {}): TestCase => ({
  name: null,
  expected_return_code: 0,
  points: 1,
  hidden: false,
  ...changes,
});

/** A test of what is printed for an input. */
export const io = (stdin: string, expected: string, changes: Partial<TestCase> = {}): TestCase =>
  aTest({ stdin: Buffer.from(stdin), expected_stdout: Buffer.from(expected), ...changes });

export const aJudge = (changes: Partial<Judge> = {}): Judge => ({ compare: 'trimmed', stop_on: 'never', ...changes });

export const aSuite = (tests: readonly TestCase[], judge: Partial<Judge> = {}): TestSuite => ({
  judge: aJudge(judge),
  tests,
});
