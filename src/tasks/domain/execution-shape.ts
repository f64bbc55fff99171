import { z } from 'zod';

/** The shapes that both aggregates share: a task defines them, and an execution copies them unchanged. */

export const payloadRef = z.object({
  payload_id: z.uuid(),
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** The tests of a task, or of one execution (test-suite.ts), and what they are worth together. */
export const suiteRef = z.object({
  payload: payloadRef,
  tests: z.int().positive(),
  points: z.number().nonnegative(),
});
export type SuiteRef = z.output<typeof suiteRef>;

/** Name of a declared runtime. It may no longer be declared when the event is read. */
export const scriptType = z.string().min(1).max(64);

/** May have fractions: 1.5. Stored unchanged; enforced to the millisecond. */
export const timeoutSeconds = z.number().positive();
export const timeoutMsOf = (timeout_seconds: number): number => Math.round(timeout_seconds * 1_000);

/** The failures that a task may ask to retry. */
export const RETRYABLE_REASONS = ['exit_code', 'signal', 'out_of_memory', 'timeout', 'infrastructure'] as const;
export const retryableReason = z.enum(RETRYABLE_REASONS);

/**
 * Why an attempt fails. `cpu_time` is a timeout, too: it is retried if the policy retries timeouts. `compile` is never
 * retried: the program would not compile the next time either.
 */
export const FAILURE_REASONS = [...RETRYABLE_REASONS, 'cpu_time', 'compile'] as const;
export const failureReason = z.enum(FAILURE_REASONS);
export type FailureReason = z.output<typeof failureReason>;

export const isTimeout = (reason: FailureReason): boolean => reason === 'timeout' || reason === 'cpu_time';

export const retryPolicy = z.object({
  max_attempts: z.int().min(1),
  initial_delay_ms: z.int().nonnegative(),
  backoff_factor: z.number().min(1),
  max_delay_ms: z.int().nonnegative(),
  retry_on: z.array(retryableReason),
});
export type RetryPolicy = z.output<typeof retryPolicy>;

export const executionLimits = z.object({
  memory_mb: z.int(),
  cpus: z.number(),
  pids: z.int(),
  /** Of all processes of the program together. Absent or null: as much as fits into the timeout. */
  cpu_time_seconds: z.number().positive().nullish(),
  /** Kept of each output stream. Absent or null: as much as the operator allows. */
  output_bytes: z.int().positive().nullish(),
});
export type ExecutionLimits = z.output<typeof executionLimits>;

/** Statuses of ended executions, as clients see them. */
export const OUTCOMES = ['completed', 'failed', 'timeout', 'cancelled'] as const;
export const outcome = z.enum(OUTCOMES);
export type Outcome = z.output<typeof outcome>;

/** Of tasks and of executions. */
export const STATUSES = ['pending', 'running', ...OUTCOMES] as const;
export type Status = (typeof STATUSES)[number];

/** Not ended: an attempt runs or is still to come. */
export const isActive = (status: Status): boolean => status === 'pending' || status === 'running';
