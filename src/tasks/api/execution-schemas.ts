import { z } from 'zod';

import { FAILURE_REASONS, SCRIPT_TYPES, STATUSES } from '../domain/execution-shape.js';
import { listQuery, listView, wholeNumber } from '../../http/listing/list-query.js';
import { executionInput } from './input-schema.js';

/** The body may be left out altogether. */
export const startExecutionBody = z
  .strictObject({
    input: executionInput.optional(),
    executor: z.enum(['embedded', 'external']).default('embedded'),
  })
  .prefault({})
  .meta({ id: 'StartExecution', example: { input: { args: ['world'] } } });
export type StartExecutionBody = z.output<typeof startExecutionBody>;

/** An answer that takes longer is taken for lost by proxies on the way. */
const WAIT_SECONDS_MAX = 60;

export const startExecutionQuery = z.strictObject({
  wait: wholeNumber(0, WAIT_SECONDS_MAX).default(0).describe('Seconds to wait for the end, before the answer'),
});
export type StartExecutionQuery = z.output<typeof startExecutionQuery>;

export const EXECUTION_SORT_FIELDS = ['created_at'] as const;

export const listExecutionsQuery = z.strictObject({
  ...listQuery(EXECUTION_SORT_FIELDS),
  status: z.enum(STATUSES).optional().describe('Only those that are in it'),
  script_type: z.enum(SCRIPT_TYPES).optional().describe('Only those in this language'),
  include: z.enum(['output']).optional().describe('With stdout and stderr, which are null otherwise'),
});
export type ListExecutionsQuery = z.output<typeof listExecutionsQuery>;

export const listDeadLettersQuery = z.strictObject(listQuery(EXECUTION_SORT_FIELDS));
export type ListDeadLettersQuery = z.output<typeof listDeadLettersQuery>;

export const outputQuery = z.strictObject({
  follow: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .meta({ description: 'Stays until the run has ended, and answers what it writes as it writes it' }),
});
export type OutputQuery = z.output<typeof outputQuery>;

const time = z.iso.datetime();
const count = z.int().nonnegative();

const outputText = z
  .string()
  .nullable()
  .describe(
    'U+FFFD stands for what is not UTF-8. Over the cap, a line "… 1,234,567 bytes left out …" stands between the ' +
      'first and the last bytes, as where an answer has no room for all of it (`output_excerpt`); the bytes as kept ' +
      'are at /output',
  );

export const executionView = z
  .object({
    id: z.uuid(),
    task_id: z.uuid(),
    status: z.enum(STATUSES),
    return_code: z.int32().nullable(),
    stdout: outputText,
    stderr: outputText,
    execution_time_ms: count.nullable(),
    memory_usage_bytes: count
      .nullable()
      .describe(
        'The peak of what the run had in memory: the pages of its processes, each counted once, with those of the ' +
          'programs and libraries that they map, and the files in its /tmp and /dev/shm. The limit, where it was reached',
      ),
    started_at: time.nullable(),
    completed_at: time.nullable(),
    created_at: time,
    attempt: z.int32().nonnegative(),
    termination_reason: z
      .enum([...FAILURE_REASONS, 'cancelled', 'expired'])
      .nullable()
      .describe('`expired`, with status `timeout`: an external worker was to do it, and nothing was reported in time'),
    signal: z.string().nullable(),
    notes: z
      .array(z.string())
      .describe('Limits that the run reached, such as "the limit of 64 processes was reached (12 times)"'),
    stdout_bytes: count,
    stderr_bytes: count,
    stdout_truncated: z.boolean(),
    stderr_truncated: z.boolean(),
    output_excerpt: z
      .boolean()
      .describe(
        'Whether this answer leaves out some of stdout or stderr for want of room: it carries 2 MiB of output, all runs ' +
          'of a list together, and of longer ones the first and the last bytes',
      ),
    cpu_time_ms: count.nullable(),
    queue_time_ms: count.nullable(),
    dead_lettered: z.boolean(),
    next_attempt_at: time.nullable(),
    trace_id: z.string().nullable(),
    version: z.int32(),
  })
  .meta({ id: 'Execution' });
export type ExecutionView = z.output<typeof executionView>;

export const executionList = listView('ExecutionList', 'executions', executionView);
export const deadLetterList = listView('DeadLetterList', 'dead_letters', executionView);
