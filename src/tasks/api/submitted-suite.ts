import { type FieldFault, InvalidFields } from '../../kernel/errors.js';
import { type PartContent, utf8Text } from '../../kernel/packed-json.js';
import { fileAtScriptPath } from '../../runtimes/runtime.js';
import { contentOfFile, emptyFiles } from '../commands/input-store.js';
import { INPUT_FILE_AT_SCRIPT_PATH } from '../domain/execution-commands.js';
import type { Judge, TestCase, TestSuite } from '../domain/test-suite.js';
import type { OperatorRules } from './operator-rules.js';
import { judgeSchema, type SubmittedJudge, type SubmittedTests } from './suite-schemas.js';

/**
 * @param scriptType of the program; undefined if the service no longer has its runtime
 * @returns the tests as they are stored
 * @throws InvalidFields that names every limit that is not allowed, and every file at the path of the script
 */
export function suiteOf(
  tests: SubmittedTests,
  judge: SubmittedJudge | undefined,
  scriptType: string | undefined,
  rules: OperatorRules,
): TestSuite<PartContent> {
  const runtime = scriptType === undefined ? undefined : rules.runtimeOf(scriptType);
  const faults = tests.flatMap(({ timeout_seconds, limits, files = [] }, index): FieldFault[] => [
    ...rules.faultsOf({ timeout_seconds, limits, runtime }, `tests.${index}.`),
    ...(runtime &&
    fileAtScriptPath(
      runtime,
      files.map(({ path }) => path),
    ) !== -1
      ? [{ field: `tests.${index}.files`, value: '[redacted]', tag: 'invalid', message: INPUT_FILE_AT_SCRIPT_PATH }]
      : []),
  ]);
  if (faults.length > 0) throw new InvalidFields(faults);
  return { judge: judgeOf(judge, rules), tests: tests.map(testOf) };
}

/** @throws InvalidFields for a checker of an unknown runtime */
export function judgeOf(submitted: SubmittedJudge | undefined, rules: OperatorRules): Judge {
  const { checker, numbers, ...others } = submitted ?? judgeSchema.parse({});
  return {
    ...others,
    ...(others.compare === 'numbers' && { numbers: numbers ?? judgeSchema.parse({ ...others, numbers: {} }).numbers! }),
    ...(checker && { checker: rules.accept(checker, 'judge.checker.') }),
  };
}

function testOf(submitted: SubmittedTests[number]): TestCase<PartContent> {
  const { name = null, stdin, files, expected_stdout, args, timeout_seconds, limits, ...others } = submitted;
  return {
    name,
    ...others,
    ...(stdin !== undefined && { stdin: utf8Text(stdin) }),
    ...(args && { args }),
    ...(files && { files: files.map(contentOfFile) }),
    ...(expected_stdout !== undefined && { expected_stdout: utf8Text(expected_stdout) }),
    ...(timeout_seconds !== undefined && { timeout_seconds }),
    ...(limits && { limits }),
  };
}

/** When they are stored: else their texts would stay in memory for as long as the request waits. */
export function emptyTests(tests: SubmittedTests): void {
  for (const test of tests) {
    if (test.stdin !== undefined) test.stdin = '';
    if (test.expected_stdout !== undefined) test.expected_stdout = '';
    emptyFiles(test.files);
  }
}
