import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { defineProjection } from '../../event-sourcing/projection/projection.js';
import { unreachable } from '../../kernel/errors.js';
import type { PayloadRef } from '../../platform/payloads/payload-store.js';
import type {
  CompileResult,
  ExecutionEvent,
  OutputRef,
  RunResult,
  SkippedFile,
  StoredFile,
} from '../domain/execution-events.js';
import { isTimeout, type Status } from '../domain/execution-shape.js';
import type { Verdict } from '../domain/test-results.js';

/** A row of `read.executions`. Times are ISO 8601 if they come from an event, dates if they come from Postgres. */
export interface ExecutionRow {
  readonly id: string;
  readonly task_id: string;
  readonly owner_id: string;
  readonly status: Status;
  readonly executor: 'embedded' | 'external';
  readonly script_type: string;
  readonly attempt: number;
  readonly return_code: number | null;
  readonly signal: string | null;
  readonly termination_reason: string | null;
  readonly stdout: OutputRef | null;
  readonly stderr: OutputRef | null;
  readonly execution_time_ms: number | null;
  readonly cpu_time_ms: number | null;
  readonly memory_usage_bytes: number | null;
  readonly notes: readonly string[];
  /** Null for a runtime without a compiler. */
  readonly compile: CompileResult | null;
  readonly files: readonly StoredFile[];
  readonly files_skipped: readonly SkippedFile[];
  /** 0: one run of the program. */
  readonly test_count: number;
  readonly verdict: Verdict | null;
  readonly score: number | null;
  readonly points: number | null;
  /** Null also if no test was run. */
  readonly test_results: PayloadRef | null;
  readonly queue_time_ms: number | null;
  readonly created_at: string | Date;
  readonly started_at: string | Date | null;
  readonly completed_at: string | Date | null;
  readonly next_attempt_at: string | Date | null;
  readonly dead_lettered: boolean;
  /** A dead letter that its owner has discarded; the execution remains. */
  readonly dead_letter_discarded: boolean;
  readonly rerun_of: string | null;
  readonly trace_id: string | null;
  readonly version: number;
}

const NO_RESULT = {
  return_code: null,
  signal: null,
  termination_reason: null,
  stdout: null,
  stderr: null,
  execution_time_ms: null,
  cpu_time_ms: null,
  memory_usage_bytes: null,
  notes: [] as readonly string[],
  compile: null,
  files: [] as readonly StoredFile[],
  files_skipped: [] as readonly SkippedFile[],
  verdict: null,
  score: null,
  test_results: null,
} as const;

export function projectExecution(row: ExecutionRow | null, event: RecordedEvent<ExecutionEvent>): ExecutionRow | null {
  const { version } = event;
  const at = event.recordedAt.toISOString();
  if (event.type === 'ExecutionRequested') return requested(event.data, at, event.metadata.traceparent, version);
  if (row === null) return null;
  const ended = (status: Status): ExecutionRow => ({
    ...row,
    status,
    completed_at: at,
    next_attempt_at: null,
    version,
  });
  switch (event.type) {
    case 'ExecutionAttemptStarted': {
      const { attempt, queued_ms: queue_time_ms, started_at = at } = event.data;
      return { ...row, ...NO_RESULT, status: 'running', attempt, queue_time_ms, ...started(started_at), version };
    }
    case 'ExecutionAttemptFailed': {
      const { result, reason } = event.data;
      return { ...row, ...(result ? resultOf(result) : NO_RESULT), termination_reason: reason, version };
    }
    case 'ExecutionAttemptReleased': {
      const attempt = event.data.attempt - 1;
      return { ...row, ...NO_RESULT, status: 'pending', attempt, started_at: null, queue_time_ms: null, version };
    }
    case 'ExecutionRetryScheduled':
      return { ...row, status: 'pending', next_attempt_at: event.data.not_before, version };
    case 'ExecutionCancellationRequested':
      return { ...row, version };
    case 'ExecutionSucceeded': {
      const { result } = event.data;
      // Tests have as many ends as runs.
      return { ...ended('completed'), ...resultOf(result), termination_reason: result.suite ? null : 'exit_code' };
    }
    case 'ExecutionFailed':
      return ended('failed');
    case 'ExecutionTimedOut':
      // An external execution that was not reported in time has no failed attempt.
      return {
        ...ended('timeout'),
        termination_reason: row.termination_reason === 'cpu_time' ? 'cpu_time' : 'timeout',
      };
    case 'ExecutionExpired':
      return { ...ended('timeout'), termination_reason: 'expired' };
    case 'ExecutionCancelled': {
      const { result } = event.data;
      return { ...ended('cancelled'), ...(result ? resultOf(result) : {}), termination_reason: 'cancelled' };
    }
    case 'ExecutionReported': {
      const { outcome, result, started_at, completed_at } = event.data;
      const termination_reason = outcome === 'timeout' || outcome === 'cancelled' ? outcome : 'exit_code';
      const times = { started_at: started_at ?? row.started_at, completed_at };
      return { ...ended(outcome), ...resultOf(result), termination_reason, ...times };
    }
    case 'ExecutionDeadLettered':
      return { ...ended(isTimeout(event.data.reason) ? 'timeout' : 'failed'), dead_lettered: true };
    case 'ExecutionRedriven':
      return { ...row, status: 'pending', completed_at: null, dead_lettered: false, version };
    case 'ExecutionDeadLetterDiscarded':
      return { ...row, dead_letter_discarded: true, version };
    default:
      return unreachable(event);
  }
}

const started = (at: string) => ({ started_at: at, completed_at: null, next_attempt_at: null });

function requested(
  data: Extract<ExecutionEvent, { type: 'ExecutionRequested' }>['data'],
  at: string,
  traceparent: string | undefined,
  version: number,
): ExecutionRow {
  return {
    id: data.execution_id,
    task_id: data.task_id,
    owner_id: data.owner_id,
    status: 'pending',
    executor: data.executor,
    script_type: data.script_type,
    attempt: 0,
    ...NO_RESULT,
    test_count: data.suite?.tests ?? 0,
    points: data.suite?.points ?? null,
    queue_time_ms: null,
    created_at: at,
    started_at: null,
    completed_at: null,
    next_attempt_at: null,
    dead_lettered: false,
    dead_letter_discarded: false,
    rerun_of: data.rerun_of,
    // W3C Trace Context: version-traceid-parentid-flags.
    trace_id: traceparent?.split('-')[1] ?? null,
    version,
  };
}

function resultOf(result: RunResult) {
  const { return_code, signal, stdout, stderr } = result;
  return {
    return_code,
    signal,
    stdout,
    stderr,
    execution_time_ms: result.wall_time_ms,
    cpu_time_ms: result.cpu_time_ms,
    memory_usage_bytes: result.memory_peak_bytes,
    notes: result.notes ?? [],
    compile: result.compile ?? null,
    files: result.files ?? [],
    files_skipped: result.files_skipped ?? [],
    verdict: result.suite?.verdict ?? null,
    score: result.suite?.score ?? null,
    test_results: result.suite?.tests ?? null,
  };
}

export const executionProjection = defineProjection<ExecutionRow>({
  table: 'executions',
  key: 'id',
  columns: {
    id: 'uuid',
    task_id: 'uuid',
    owner_id: 'uuid',
    status: 'text',
    executor: 'text',
    script_type: 'text',
    attempt: 'integer',
    return_code: 'integer',
    signal: 'text',
    termination_reason: 'text',
    stdout: 'jsonb',
    stderr: 'jsonb',
    // Exact up to 2^53, and read as a JavaScript number; a bigint is not.
    execution_time_ms: 'double precision',
    cpu_time_ms: 'double precision',
    memory_usage_bytes: 'double precision',
    notes: 'jsonb',
    compile: 'jsonb',
    files: 'jsonb',
    files_skipped: 'jsonb',
    test_count: 'integer',
    verdict: 'text',
    score: 'double precision',
    points: 'double precision',
    test_results: 'jsonb',
    queue_time_ms: 'double precision',
    created_at: 'timestamptz',
    started_at: 'timestamptz',
    completed_at: 'timestamptz',
    next_attempt_at: 'timestamptz',
    dead_lettered: 'boolean',
    dead_letter_discarded: 'boolean',
    rerun_of: 'uuid',
    trace_id: 'text',
    version: 'integer',
  },
  keyOf: ({ stream }) => (stream.type === 'execution' ? stream.id : null),
  project: (row, event) => projectExecution(row, event as RecordedEvent<ExecutionEvent>),
});
