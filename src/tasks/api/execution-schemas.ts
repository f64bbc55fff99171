import { z } from 'zod';

import { listQuery, listView, wholeNumber } from '../../http/listing/list-query.js';
import { SKIP_REASONS } from '../../sandbox/sandbox.js';
import { FAILURE_REASONS, STATUSES } from '../domain/execution-shape.js';
import { VERDICTS } from '../domain/test-results.js';
import { executionInput, isInteractiveWithoutTests, WITH_TESTS } from './input-schema.js';
import { judgeNeedsTests, judgeSchema, judgeWithoutTests, testsSchema } from './suite-schemas.js';
import { runOverrides, scriptTypeFilter } from './task-schemas.js';
import { executionWebhook } from './webhook-schema.js';

/** The body is optional. The fields of the task that it has apply to this execution only. */
export const startExecutionBody = z
  .strictObject({
    input: executionInput.optional(),
    executor: z.enum(['embedded', 'external']).default('embedded'),
    ...runOverrides,
    tests: testsSchema
      .nullable()
      .describe('Instead of the tests of the task; null: the program is run once, without tests')
      .optional(),
    judge: judgeSchema.optional(),
    webhook: executionWebhook.optional(),
  })
  .refine(judgeNeedsTests, judgeWithoutTests())
  .refine(({ executor, tests }) => executor === 'embedded' || !tests, {
    path: ['tests'],
    message: 'must not be given for an external execution',
    params: { tag: 'exclusive' },
  })
  .refine(({ executor, input }) => executor === 'embedded' || !input?.interactive, {
    path: ['input', 'interactive'],
    message: 'must not be given for an external execution',
    params: { tag: 'exclusive' },
  })
  .refine(isInteractiveWithoutTests, WITH_TESTS)
  .prefault({})
  .meta({ id: 'StartExecution', example: { input: { args: ['world'] } } });
export type StartExecutionBody = z.output<typeof startExecutionBody>;

/** What a repeated execution is started with. */
export const rerunSettings = {
  definition: z
    .enum(['recorded', 'current'])
    .default('recorded')
    .describe('Script and settings: `recorded`: those of the earlier execution; `current`: those of its task now'),
  overrides: z.strictObject(runOverrides).default({}).describe('Settings of the new execution only'),
};

/** The body is optional. */
export const rerunBody = z
  .strictObject(rerunSettings)
  .prefault({})
  .meta({ id: 'RerunExecution', example: { overrides: { priority: 8 } } });
export type RerunBody = z.output<typeof rerunBody>;

/** Proxies time out on responses that take longer. */
const WAIT_SECONDS_MAX = 60;

export const startExecutionQuery = z.strictObject({
  wait: wholeNumber(0, WAIT_SECONDS_MAX)
    .default(0)
    .describe('Maximum seconds to wait for the end of the execution before responding'),
});
export type StartExecutionQuery = z.output<typeof startExecutionQuery>;

export const EXECUTION_SORT_FIELDS = ['created_at'] as const;

export const listExecutionsQuery = z.strictObject({
  ...listQuery(EXECUTION_SORT_FIELDS),
  status: z.enum(STATUSES).optional().describe('Only executions with this status'),
  script_type: scriptTypeFilter.optional().describe('Only executions of this runtime'),
  include: z.enum(['output']).optional().describe('`output` includes stdout and stderr, which are null otherwise'),
});
export type ListExecutionsQuery = z.output<typeof listExecutionsQuery>;

export const listDeadLettersQuery = z.strictObject(listQuery(EXECUTION_SORT_FIELDS));
export type ListDeadLettersQuery = z.output<typeof listDeadLettersQuery>;

const flag = (description: string) =>
  z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .meta({ description });

export const outputQuery = z.strictObject({
  follow: flag('Whether to stream the output live until the execution has ended'),
});
export type OutputQuery = z.output<typeof outputQuery>;

export const stdinQuery = z.strictObject({ eof: flag('Whether standard input ends after these bytes') });
export type StdinQuery = z.output<typeof stdinQuery>;

const time = z.iso.datetime();
const count = z.int().nonnegative();

export const stdinView = z
  .object({
    attempt: z.int32().describe('The attempt whose program gets the bytes; each begins with none'),
    stdin_bytes: count.describe('Bytes that this attempt has accepted so far, without those of `input.stdin`'),
    closed: z.boolean().describe('Whether this request ended standard input'),
  })
  .meta({ id: 'AcceptedStdin' });

const outputText = z
  .string()
  .nullable()
  .describe(
    'Bytes that are not UTF-8 are replaced by U+FFFD. If the output exceeds the size limit or the space in the ' +
      'response (`output_excerpt`), a line "… 1,234,567 bytes left out …" separates its first and last bytes. The ' +
      'stored bytes are at /output',
  );

const compilerText = z
  .string()
  .nullable()
  .describe('At most 64 KiB of it; null in lists without `include=output`, and after it has been erased');

const outputFile = z
  .object({
    path: z.string().describe('Relative to the working folder of the program'),
    bytes: count,
    sha256: z.string().describe('Of the content, in hexadecimal'),
    media_type: z.string().describe('By the extension of the name'),
  })
  .meta({ id: 'OutputFile' });

const skippedFile = z
  .object({
    path: z.string().describe('Characters that cannot be shown are replaced by U+FFFD'),
    reason: z.enum(SKIP_REASONS).describe('`too_large`: the file leaves the limit, alone or with the files before it'),
  })
  .meta({ id: 'SkippedFile' });

const testResult = z
  .object({
    name: z.string().nullable(),
    verdict: z.enum(VERDICTS),
    return_code: z.int32().nullable(),
    signal: z.string().nullable(),
    wall_time_ms: count,
    cpu_time_ms: count.nullable(),
    memory_usage_bytes: count.nullable(),
    stdout: z.string().nullable().describe('Its first 4 KiB. Bytes that are not UTF-8 are replaced by U+FFFD'),
    stderr: z.string().nullable().describe('Likewise'),
    message: z.string().nullable().describe('Why it was not accepted, or the first line of the checker'),
    points: z.number().describe('That it earned: all of the test, or none'),
    hidden: z.boolean().describe('stdout, stderr and message are null for whoever may not change the task'),
  })
  .meta({ id: 'TestResult' });

export const executionView = z
  .object({
    id: z.uuid(),
    task_id: z.uuid(),
    status: z.enum(STATUSES),
    return_code: z.int32().nullable(),
    stdout: outputText,
    stderr: outputText,
    compile: z
      .object({
        return_code: z.int32().nullable().describe('Null after a timeout of the compiler'),
        stdout: compilerText,
        stderr: compilerText,
        wall_time_ms: count,
      })
      .nullable()
      .describe(
        'How the program was compiled, possibly for an earlier execution of the same source; null for a runtime ' +
          'without a compiler, for an external execution, and if the attempt did not end with its program',
      ),
    execution_time_ms: count.nullable(),
    memory_usage_bytes: count
      .nullable()
      .describe(
        'Peak memory: the pages of all processes, each counted once, including mapped programs and libraries, and ' +
          'the files in /tmp and /dev/shm. If the limit was reached, the limit',
      ),
    started_at: time.nullable(),
    completed_at: time.nullable(),
    created_at: time,
    attempt: z.int32().nonnegative(),
    termination_reason: z
      .enum([...FAILURE_REASONS, 'cancelled', 'expired'])
      .nullable()
      .describe(
        'Why the execution did not complete. `expired` (status `timeout`): an external worker did not report in time',
      ),
    signal: z.string().nullable(),
    notes: z
      .array(z.string())
      .describe(
        'What else is to be known of the run: limits that were reached, such as "the limit of 64 processes was reached ' +
          '(12 times)", and patterns of `input.outputs` that match nothing',
      ),
    files: z
      .array(outputFile)
      .describe(
        'Files of the latest attempt that match `input.outputs`; their content is at /files/{path}. With `as_of`, of ' +
          'the latest attempt at that time: the content of earlier attempts is not available',
      ),
    files_skipped: z
      .array(skippedFile)
      .describe('Files that match and were not kept, and folders that were not entered'),
    stdout_bytes: count,
    stderr_bytes: count,
    stdout_truncated: z.boolean(),
    stderr_truncated: z.boolean(),
    output_excerpt: z
      .boolean()
      .describe(
        'Whether this response omits part of stdout or stderr for lack of space. A response holds 2 MiB of output (a ' +
          'list: of all its executions together); longer outputs are cut to their first and last bytes',
      ),
    cpu_time_ms: count.nullable(),
    queue_time_ms: count.nullable(),
    test_count: z.int32().describe('0: one run of the program, without tests'),
    verdict: z
      .enum(VERDICTS)
      .nullable()
      .describe(
        'That of the first test that failed, else `accepted`. Null without tests, and if not all of them were run and ' +
          'none failed',
      ),
    score: z.number().nullable().describe('The points that the tests earned'),
    points: z.number().nullable().describe('The points of all tests'),
    tests: z
      .array(testResult)
      .nullable()
      .describe(
        'Those that were run. Null while an attempt runs, without tests, in lists, and after they have been erased',
      ),
    rerun_of: z.uuid().nullable().describe('The execution that this one repeats'),
    dead_lettered: z.boolean(),
    next_attempt_at: time.nullable(),
    trace_id: z.string().nullable(),
    version: z.int32(),
  })
  .meta({ id: 'Execution' });
export type ExecutionView = z.output<typeof executionView>;

export const executionList = listView('ExecutionList', 'executions', executionView);
export const deadLetterList = listView('DeadLetterList', 'dead_letters', executionView);
