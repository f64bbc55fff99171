import { z } from 'zod';

import { text } from '../../http/validation/text.js';
import { COMPARISONS, STOP_RULES, TESTS_MAX } from '../domain/test-suite.js';
import { argumentBytes, executionInput, INPUT_BYTES_MAX, inputBytes, tooLarge } from './input-schema.js';
import { limits, scriptType, timeoutSeconds } from './limit-schemas.js';

const POINTS_MAX = 1_000_000;
const CHECKER_CHARS_MAX = 65_535;
/** The environment of the input comes on top. */
const TEST_ARGUMENTS_BYTES_MAX = 512 * 1024;
/** As many as most programs print, when they print six digits. */
const TOLERANCE_DEFAULT = 1e-6;

const bytes = z.string().meta({ maxLength: INPUT_BYTES_MAX });
const tolerance = z.number().min(0).max(1).default(TOLERANCE_DEFAULT);

const test = z
  .strictObject({
    name: text({ min: 1, max: 255 }).optional(),
    stdin: bytes.describe('Instead of the one of the input').optional(),
    args: executionInput.shape.args.describe('Instead of those of the input'),
    files: executionInput.shape.files.describe('Beside those of the input; of the same path, these'),
    expected_stdout: bytes.describe('Absent: any output is accepted').optional(),
    expected_return_code: z.int().min(0).max(255).default(0),
    timeout_seconds: timeoutSeconds.optional(),
    limits: limits.partial().describe('Instead of those of the execution').optional(),
    points: z.number().min(0).max(POINTS_MAX).default(1),
    hidden: z
      .boolean()
      .default(false)
      .describe('Whoever may not change the task sees the verdict of the test, and none of its data'),
  })
  .refine(
    (one) => argumentBytes(one) <= TEST_ARGUMENTS_BYTES_MAX,
    tooLarge(`args must be at most ${TEST_ARGUMENTS_BYTES_MAX} bytes together`),
  );

const sizeOf = ({ stdin, files, expected_stdout = '' }: z.output<typeof test>): number =>
  inputBytes({ stdin, files }) + Buffer.byteLength(expected_stdout);

export const testsSchema = z
  .array(test)
  .min(1)
  .max(TESTS_MAX)
  .refine(
    (tests) => tests.reduce((sum, one) => sum + sizeOf(one), 0) <= INPUT_BYTES_MAX,
    tooLarge(`all tests together must be at most ${INPUT_BYTES_MAX} bytes`),
  )
  .describe(
    'Each runs the program once, in fresh namespaces and a working folder of its own. A compiled program is compiled ' +
      `once. Their stdin, files and expected output have at most ${INPUT_BYTES_MAX} bytes together`,
  );
export type SubmittedTests = z.output<typeof testsSchema>;

const checker = z.strictObject({
  script_type: scriptType,
  script_content: text({ min: 1, max: CHECKER_CHARS_MAX }),
});

const judgeFields = z.strictObject({
  compare: z
    .enum(COMPARISONS)
    .default('trimmed')
    .describe(
      'How output is compared with `expected_stdout`. `exact`: every byte. `trimmed`: blanks at the ends of lines and ' +
        'blank lines at the end do not count. `tokens`: all blanks separate. `numbers`: as tokens, and a number may ' +
        'differ a little. `unordered_lines`: as trimmed, in any order. `checker`: a program decides',
    ),
  numbers: z
    .strictObject({ absolute: tolerance, relative: tolerance })
    .describe('For `numbers`: how far a number may be from the expected one, by itself or as a part of that')
    .optional(),
  checker: checker
    .describe(
      'For `checker`: a program that runs in a sandbox of its own beside files `input`, `expected` and `output`. Exit ' +
        'code 0: accepted; 1: wrong answer; any other: the checker failed. Its first line is the message of the test',
    )
    .optional(),
  stop_on: z.enum(STOP_RULES).default('never').describe('Whether later tests run after one that failed'),
});

export const judgeSchema = judgeFields
  .refine(({ compare, checker }) => compare !== 'checker' || checker !== undefined, {
    path: ['checker'],
    message: 'is required to compare by a checker',
    params: { tag: 'required' },
  })
  .refine(({ compare, checker }) => compare === 'checker' || checker === undefined, {
    path: ['checker'],
    message: 'must not be given without `"compare": "checker"`',
    params: { tag: 'exclusive' },
  })
  .refine(({ compare, numbers }) => compare === 'numbers' || numbers === undefined, {
    path: ['numbers'],
    message: 'must not be given without `"compare": "numbers"`',
    params: { tag: 'exclusive' },
  });
export type SubmittedJudge = z.output<typeof judgeSchema>;

export const judgeNeedsTests = ({ tests, judge }: { readonly tests?: unknown; readonly judge?: unknown }): boolean =>
  judge === undefined || (tests !== undefined && tests !== null);

export const JUDGE_WITHOUT_TESTS = { tag: 'required_with', message: 'must not be given without tests' } as const;

/** For a refinement; zod takes its object apart. */
export const judgeWithoutTests = () => ({
  path: ['judge'],
  message: JUDGE_WITHOUT_TESTS.message,
  params: { tag: JUDGE_WITHOUT_TESTS.tag },
});

/** As they were sent, with defaults. */
export const viewOfTests = {
  tests: z.array(test).nullable().describe('Null: it has none; also in lists, and after the data has been erased'),
  judge: judgeFields.nullable().describe('Null likewise'),
};
