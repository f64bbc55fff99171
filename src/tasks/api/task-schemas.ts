import { z } from 'zod';

import { listQuery, listView } from '../../http/listing/list-query.js';
import { text } from '../../http/validation/text.js';
import { DEFAULT_LIMITS } from '../../runtimes/default-limits.js';
import { RUNTIME_NAME } from '../../runtimes/runtime.js';
import { retryableReason, STATUSES } from '../domain/execution-shape.js';
import { limits, scriptType, timeoutSeconds } from './limit-schemas.js';
import { judgeNeedsTests, judgeSchema, judgeWithoutTests, testsSchema, viewOfTests } from './suite-schemas.js';

/** Maximum bytes of a task's metadata as JSON. */
export const METADATA_BYTES_MAX = 16 * 1024;
const SCRIPT_CHARS_MAX = 65_535;

const metadata = z
  .record(z.string(), z.json())
  .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= METADATA_BYTES_MAX, {
    message: `must be at most ${METADATA_BYTES_MAX} bytes as JSON`,
    params: { tag: 'max' },
  })
  .meta({ description: `Any JSON object of at most ${METADATA_BYTES_MAX} bytes` });

/** Also of a runtime that is no longer declared. */
export const scriptTypeFilter = z.string().regex(RUNTIME_NAME);

const retry = z.strictObject({
  max_attempts: z.int().min(1).max(10),
  initial_delay_ms: z.int().min(0).max(3_600_000),
  backoff_factor: z.number().min(1).max(10),
  max_delay_ms: z.int().min(0).max(3_600_000),
  retry_on: z
    .array(retryableReason)
    .max(retryableReason.options.length)
    .transform((reasons) => [...new Set(reasons)]),
});

const limitsOrDefaults = z
  .strictObject({
    memory_mb: limits.shape.memory_mb.default(DEFAULT_LIMITS.memory_mb),
    cpus: limits.shape.cpus.default(DEFAULT_LIMITS.cpus),
    pids: limits.shape.pids.default(DEFAULT_LIMITS.pids),
    cpu_time_seconds: limits.shape.cpu_time_seconds.default(null),
    output_bytes: limits.shape.output_bytes.default(null),
  })
  .prefault({});

const retryOrDefaults = z
  .strictObject({
    max_attempts: retry.shape.max_attempts.default(3),
    initial_delay_ms: retry.shape.initial_delay_ms.default(1_000),
    backoff_factor: retry.shape.backoff_factor.default(2),
    max_delay_ms: retry.shape.max_delay_ms.default(60_000),
    retry_on: retry.shape.retry_on.prefault(['infrastructure']),
  })
  .prefault({});

const fields = {
  name: text({ min: 1, max: 255 }),
  description: text({ max: 1_000 }).nullable(),
  script_content: text({ min: 1, max: SCRIPT_CHARS_MAX }),
  script_type: scriptType,
  priority: z.int().min(0).max(10),
  timeout_seconds: timeoutSeconds,
  metadata,
  max_parallel: z.int().min(1).max(100),
};

export const createTaskBody = z
  .strictObject({
    ...fields,
    description: fields.description.default(null),
    priority: fields.priority.default(5),
    timeout_seconds: fields.timeout_seconds.default(300),
    metadata: metadata.default({}),
    max_parallel: fields.max_parallel.default(1),
    retry: retryOrDefaults,
    limits: limitsOrDefaults,
    tests: testsSchema.optional(),
    judge: judgeSchema.optional(),
  })
  .refine(judgeNeedsTests, judgeWithoutTests())
  .meta({
    id: 'CreateTask',
    example: { name: 'Hello', script_type: 'python', script_content: "import sys\nprint('Hello', *sys.argv[1:])" },
  });
export type CreateTaskBody = z.output<typeof createTaskBody>;

/** Changes only the given fields, including those inside `retry` and `limits`. */
export const updateTaskBody = z
  .strictObject({
    ...fields,
    retry: retry.partial(),
    limits: limits.partial(),
    tests: testsSchema.nullable().describe('Replaces all tests; null removes them'),
    judge: judgeSchema.describe('Replaces the judge of the tests that the task has, or of these'),
  })
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'at least one field is required')
  .meta({ id: 'UpdateTask', minProperties: 1, example: { priority: 7 } });
export type UpdateTaskBody = z.output<typeof updateTaskBody>;

/** Fields of the task that one execution can have otherwise. */
export const runOverrides = {
  priority: fields.priority.optional(),
  timeout_seconds: fields.timeout_seconds.optional(),
  retry: retry.partial().optional(),
  limits: limits.partial().optional(),
};

export const TASK_SORT_FIELDS = ['created_at', 'updated_at', 'priority', 'name'] as const;

export const listTasksQuery = z.strictObject({
  ...listQuery(TASK_SORT_FIELDS),
  status: z.enum(STATUSES).optional().describe('Only tasks with this status'),
  script_type: scriptTypeFilter.optional().describe('Only tasks of this runtime'),
});
export type ListTasksQuery = z.output<typeof listTasksQuery>;

const time = z.iso.datetime();

export const taskView = z
  .object({
    id: z.uuid(),
    user_id: z.uuid(),
    ...fields,
    // Empty after the owner's data has been erased.
    script_content: text({ max: SCRIPT_CHARS_MAX }),
    metadata: z.record(z.string(), z.json()),
    status: z.enum(STATUSES),
    retry: z.object({
      max_attempts: z.int32(),
      initial_delay_ms: z.int32(),
      backoff_factor: z.number(),
      max_delay_ms: z.int32(),
      retry_on: z.array(retryableReason),
    }),
    limits: z.object({
      memory_mb: z.int32(),
      cpus: z.number(),
      pids: z.int32(),
      cpu_time_seconds: z.number().nullable(),
      output_bytes: z.int32().nullable(),
    }),
    test_count: z.int32().describe('0: an execution is one run of the program'),
    ...viewOfTests,
    version: z.int32(),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'Task' });
export type TaskView = z.output<typeof taskView>;

export const taskList = listView('TaskList', 'tasks', taskView);
