import type { PayloadStore } from '../../platform/payloads/payload-store.js';
import { decodeTestResults, type TestResult } from '../domain/test-results.js';
import type { ExecutionRow } from './execution-projection.js';

const NO_DATA = { stdout: null, stderr: null, message: null };

/**
 * A test as clients see it.
 * @param showsHidden whether the client may change the task: no one else sees the data of its hidden tests
 */
export function testResultView({ stdout, stderr, message, ...others }: TestResult, showsHidden: boolean) {
  const isShown = showsHidden || !others.hidden;
  return { ...others, ...(isShown ? { stdout: textOf(stdout), stderr: textOf(stderr), message } : NO_DATA) };
}
export type TestResultView = ReturnType<typeof testResultView>;

/** @returns null if no test was run, and if the results have been destroyed */
export async function testResultsOf(
  { test_results }: Pick<ExecutionRow, 'test_results'>,
  payloads: PayloadStore,
): Promise<TestResult[] | null> {
  const content = test_results && (await payloads.get(test_results));
  return content && decodeTestResults(content);
}

const textOf = (content: Buffer): string => content.toString('utf8');
