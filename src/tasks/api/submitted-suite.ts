import { type FieldFault, InvalidFields } from '../../kernel/errors.js';
import { type PartContent, utf8Text } from '../../kernel/packed-json.js';
import { scheduleMinorGc } from '../../platform/memory/minor-gc.js';
import { fileAtScriptPath } from '../../runtimes/runtime.js';
import { contentOfFile, emptyInput } from '../commands/input-store.js';
import { INPUT_FILE_AT_SCRIPT_PATH } from '../domain/execution-commands.js';
import { type Judge, type PackedSuite, packSuite, type TestCase } from '../domain/test-suite.js';
import type { OperatorRules, RequestedRun } from './operator-rules.js';
import { judgeSchema, type SubmittedJudge, type SubmittedTests } from './suite-schemas.js';

type CheckedTest = Pick<RequestedRun, 'timeout_seconds' | 'limits'> & {
  readonly files?: readonly { readonly path: string }[] | undefined;
};

/** Tests that were checked and are not stored yet. */
export interface AcceptedSuite {
  readonly judge: Judge;
  /** With the texts of the request. */
  readonly tests: SubmittedTests;
}

/**
 * @param scriptType of the program; undefined if the service no longer has its runtime
 * @throws InvalidFields that names every limit that is not allowed, and every file at the path of the script
 */
export function acceptedSuite(
  tests: SubmittedTests,
  judge: SubmittedJudge | undefined,
  scriptType: string | undefined,
  rules: OperatorRules,
): AcceptedSuite {
  requireAllowed(tests, scriptType, rules);
  return { judge: judgeOf(judge, rules), tests };
}

/** Also of tests that are stored, for another runtime. @throws InvalidFields */
export function requireAllowed(
  tests: readonly CheckedTest[],
  scriptType: string | undefined,
  rules: OperatorRules,
): void {
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

/** Once: it empties them. */
export function packSubmitted({ judge, tests }: AcceptedSuite): PackedSuite {
  const packed = packSuite({ judge, tests: tests.map(testOf) });
  emptyTests(tests);
  scheduleMinorGc(packed.content.length);
  return packed;
}

/** Frees their texts, which are not needed any more: a request may wait for long. */
export function emptyTests(tests: SubmittedTests): void {
  for (const test of tests) {
    emptyInput(test);
    if (test.expected_stdout !== undefined) test.expected_stdout = '';
  }
}
