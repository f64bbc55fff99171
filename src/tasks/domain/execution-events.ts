import { z } from 'zod';

import { unchanged, type EventOf, eventType } from '../../event-sourcing/core/event-type.js';
import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import {
  failureReason,
  outcome,
  payloadRef,
  retryPolicy,
  executionLimits,
  scriptType,
  suiteRef,
  timeoutSeconds,
} from './execution-shape.js';
import { SUBSCRIBABLE_EVENTS } from './subscribable-events.js';
import { verdict } from './test-results.js';

export const NOTES_MAX = 16;
/** The highest value of EXECUTOR_FILES_MAX. */
const FILES_MAX = 64;
export const NOTE_CHARS_MAX = 200;

/** One captured stream of a run. `payload` is null if nothing was written. */
export const outputRef = z.object({
  payload: payloadRef.nullable(),
  /** Bytes that the program wrote, stored or not. */
  bytes_total: z.int().nonnegative(),
  truncated: z.boolean(),
  /** The payload lacks bytes after this many. Absent if none are missing, or if it is unknown where. */
  head_bytes: z.int().nonnegative().optional(),
});
export type OutputRef = z.output<typeof outputRef>;

/** A file that a program left, kept by a pattern of its input. `payload` is null if it is empty. */
const storedFile = z.object({
  path: z.string(),
  bytes: z.int().nonnegative(),
  /** Hex SHA-256 of its content; that of the payload is of the ciphertext. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** By the extension of its name. */
  media_type: z.string(),
  payload: payloadRef.nullable(),
});
export type StoredFile = z.output<typeof storedFile>;

/** A file that matches a pattern and was not kept, or a folder that was not entered. */
const skippedFile = z.object({ path: z.string(), reason: z.string() });
export type SkippedFile = z.output<typeof skippedFile>;

/** How the program was compiled, possibly for an earlier execution. `return_code` is null after a timeout. */
const compileResult = z.object({
  return_code: z.int().nullable(),
  stdout: outputRef,
  stderr: outputRef,
  wall_time_ms: z.int().nonnegative(),
});
export type CompileResult = z.output<typeof compileResult>;

/** What the tests of a suite found. The verdict is that of the first test that failed. */
const suiteResult = z.object({
  /** Null if not all tests were run, and none of them failed. */
  verdict: verdict.nullable(),
  score: z.number().nonnegative(),
  /** The results of those that were run (test-results.ts); null: none was. */
  tests: payloadRef.nullable(),
  /** Of the live lines of these results: a follower that has them all need not read the results. */
  progress_bytes: z.int().nonnegative(),
});
export type SuiteResult = z.output<typeof suiteResult>;

/** What is known about a program that ran, or that did not compile. */
export const runResult = z.object({
  return_code: z.int().nullable(),
  signal: z.string().nullable(),
  stdout: outputRef,
  stderr: outputRef,
  wall_time_ms: z.int().nonnegative().nullable(),
  cpu_time_ms: z.int().nonnegative().nullable(),
  memory_peak_bytes: z.int().nonnegative().nullable(),
  /** The image that the program ran in, unless the request names one. */
  image_digest: z.string().optional(),
  /** Limits that the run reached. Absent if there are none. */
  notes: z.array(z.string().max(NOTE_CHARS_MAX)).max(NOTES_MAX).optional(),
  /** Absent for a runtime without a compiler. */
  compile: compileResult.optional(),
  /** In the order of their paths, and absent if there are none; so are those that were skipped. */
  files: z.array(storedFile).max(FILES_MAX).optional(),
  files_skipped: z.array(skippedFile).max(FILES_MAX).optional(),
  /** Absent if the program was run without tests. */
  suite: suiteResult.optional(),
});
export type RunResult = z.output<typeof runResult>;

const payloadsOf = ({ result }: { readonly result: RunResult | null }) => [
  result?.stdout.payload,
  result?.stderr.payload,
  result?.compile?.stdout.payload,
  result?.compile?.stderr.payload,
  ...(result?.files ?? []).map(({ payload }) => payload),
  result?.suite?.tests,
];

const attempt = z.int().positive();

/** Of a sealed endpoint, in base64: a URL of 2,048 characters, a description and two secrets. */
const SEALED_CHARS_MAX = 16_384;

/** Where events are sent: URL and secrets, sealed under the key of their owner, because they may be confidential. */
export const sealedEndpoint = z.string().min(1).max(SEALED_CHARS_MAX);

export const subscribedEvents = z.array(z.enum(SUBSCRIBABLE_EVENTS)).min(1).max(SUBSCRIBABLE_EVENTS.length);

/** A webhook for the events of one execution only. `owner_id`: who asked for it, not always who owns the execution. */
const executionWebhook = z.object({
  owner_id: z.uuid(),
  endpoint: sealedEndpoint,
  events: subscribedEvents,
  include_output: z.boolean(),
});
export type ExecutionWebhook = z.output<typeof executionWebhook>;

/**
 * All that an execution needs: a later update of the task does not change it. Version 2: fractions of a second. Version
 * 3: the digest of the image that it must run in; null: any image of its runtime, and each result names the one it used.
 * Version 4: the execution that it repeats. Version 5: the tests to run. Version 6: its own webhook.
 */
export const ExecutionRequested = eventType(
  'ExecutionRequested',
  z.object({
    execution_id: z.uuid(),
    task_id: z.uuid(),
    owner_id: z.uuid(),
    task_definition_version: z.int().positive(),
    executor: z.enum(['embedded', 'external']),
    script: payloadRef,
    script_type: scriptType,
    image_digest: z.string().nullable(),
    input: payloadRef.nullable(),
    suite: suiteRef.nullable(),
    priority: z.int().min(0).max(10),
    timeout_seconds: timeoutSeconds,
    retry: retryPolicy,
    limits: executionLimits,
    rerun_of: z.uuid().nullable(),
    webhook: executionWebhook.nullable(),
  }),
  {
    upcasters: [
      unchanged,
      (v2) => ({ ...v2, image_digest: null }),
      (v3) => ({ ...v3, rerun_of: null }),
      (v4) => ({ ...v4, suite: null }),
      (v5) => ({ ...v5, webhook: null }),
    ],
    payloads: ({ script, input, suite }) => [script, input, suite?.payload],
  },
);
export type ExecutionSpec = ReturnType<typeof ExecutionRequested>['data'];

/**
 * `lease_token` is null for an external execution: no worker renews a lease for it. Since version 2 such an execution
 * has `started_at`: the reported time, or the time of the report.
 */
export const ExecutionAttemptStarted = eventType(
  'ExecutionAttemptStarted',
  z.object({
    attempt,
    worker: z.string(),
    lease_token: z.string().nullable(),
    queued_ms: z.int().nonnegative(),
    started_at: z.iso.datetime().optional(),
  }),
  { upcasters: [unchanged] },
);

export const ExecutionSucceeded = eventType('ExecutionSucceeded', z.object({ attempt, result: runResult }), {
  payloads: payloadsOf,
});

/**
 * `result` is null if the program's end is unknown. The next event of the append says how the execution goes on. Version
 * 2, here and below: the reason may be `cpu_time`.
 */
export const ExecutionAttemptFailed = eventType(
  'ExecutionAttemptFailed',
  z.object({ attempt, reason: failureReason, detail: z.string().nullable(), result: runResult.nullable() }),
  { upcasters: [unchanged], payloads: payloadsOf },
);

/** Released before user code started, or at a shutdown: the attempt does not count. */
export const ExecutionAttemptReleased = eventType('ExecutionAttemptReleased', z.object({ attempt, why: z.string() }));

/** `attempt` is the next one. */
export const ExecutionRetryScheduled = eventType(
  'ExecutionRetryScheduled',
  z.object({ attempt, not_before: z.iso.datetime() }),
);

export const ExecutionFailed = eventType('ExecutionFailed', z.object({ attempt, reason: failureReason }), {
  upcasters: [unchanged],
});

export const ExecutionTimedOut = eventType('ExecutionTimedOut', z.object({ attempt }));

/** The policy would retry, but no attempt is left. */
export const ExecutionDeadLettered = eventType('ExecutionDeadLettered', z.object({ attempt, reason: failureReason }), {
  upcasters: [unchanged],
});

export const ExecutionRedriven = eventType('ExecutionRedriven', z.object({ attempt }));

export const ExecutionDeadLetterDiscarded = eventType('ExecutionDeadLetterDiscarded', z.object({}));

export const ExecutionCancellationRequested = eventType('ExecutionCancellationRequested', z.object({ attempt }));

export const ExecutionCancelled = eventType('ExecutionCancelled', z.object({ result: runResult.nullable() }), {
  payloads: payloadsOf,
});

/**
 * Terminal: the end of an external execution, as its owner reports it. `started_at` is null if not reported. Since
 * version 2, `completed_at_reported` says whether `completed_at` was reported or is the time of the report. It tells a
 * repeated report from a different one.
 */
export const ExecutionReported = eventType(
  'ExecutionReported',
  z.object({
    outcome,
    result: runResult,
    started_at: z.iso.datetime().nullable(),
    completed_at: z.iso.datetime(),
    completed_at_reported: z.boolean(),
  }),
  { upcasters: [(v1) => ({ ...v1, completed_at_reported: true })], payloads: payloadsOf },
);
export type ExternalReport = ReturnType<typeof ExecutionReported>['data'];

/** Terminal: an external worker was to run this execution, and nothing was ever reported. */
export const ExecutionExpired = eventType('ExecutionExpired', z.object({}));

export const executionEvents = {
  ExecutionRequested,
  ExecutionAttemptStarted,
  ExecutionSucceeded,
  ExecutionAttemptFailed,
  ExecutionAttemptReleased,
  ExecutionRetryScheduled,
  ExecutionFailed,
  ExecutionTimedOut,
  ExecutionDeadLettered,
  ExecutionRedriven,
  ExecutionDeadLetterDiscarded,
  ExecutionCancellationRequested,
  ExecutionCancelled,
  ExecutionReported,
  ExecutionExpired,
};
export type ExecutionEvent = EventOf<typeof executionEvents>;

const OF_REQUESTS: ReadonlySet<string> = new Set(['TaskCreated', 'TaskExecutionStarted', 'ExecutionRequested']);

/** Whether it is recorded by a user's request, of which nobody but that user knows yet. */
export const isRequest = ({ type }: Pick<RecordedEvent, 'type'>): boolean => OF_REQUESTS.has(type);

/** Whether a worker, and not a report about an external execution, started an attempt. @throws if unreadable */
export function isWorkersStart(event: RecordedEvent): boolean {
  const execution = event as RecordedEvent<ExecutionEvent>;
  return execution.type === 'ExecutionAttemptStarted' && execution.data.lease_token !== null;
}
