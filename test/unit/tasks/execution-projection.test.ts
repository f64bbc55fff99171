import { ExecutionAttemptFailed, type ExecutionEvent } from '../../../src/tasks/domain/execution-events.js';
import {
  executionProjection,
  type ExecutionRow,
  projectExecution,
} from '../../../src/tasks/queries/execution-projection.js';
import * as event from '../../support/builders/executions.js';
import { OWNER_ID } from '../../support/builders/people.js';
import {
  recorded,
  recordedAtOf,
  EXECUTION_STREAM,
  TASK_STREAM,
  TRACE_ID,
  TRACEPARENT,
} from '../../support/builders/recorded.js';
import { EXECUTION_ID, TASK_ID } from '../../support/builders/tasks.js';

const rowAfter = (...events: ExecutionEvent[]): ExecutionRow | null =>
  recorded(EXECUTION_STREAM, events, { traceparent: TRACEPARENT }).reduce<ExecutionRow | null>(projectExecution, null);

const REQUESTED: ExecutionRow = {
  id: EXECUTION_ID,
  task_id: TASK_ID,
  owner_id: OWNER_ID,
  status: 'pending',
  executor: 'embedded',
  script_type: 'python',
  attempt: 0,
  return_code: null,
  signal: null,
  termination_reason: null,
  stdout: null,
  stderr: null,
  execution_time_ms: null,
  cpu_time_ms: null,
  memory_usage_bytes: null,
  notes: [],
  compile: null,
  files: [],
  files_skipped: [],
  test_count: 0,
  verdict: null,
  score: null,
  points: null,
  test_results: null,
  queue_time_ms: null,
  created_at: recordedAtOf(1),
  started_at: null,
  completed_at: null,
  next_attempt_at: null,
  dead_lettered: false,
  dead_letter_discarded: false,
  rerun_of: null,
  trace_id: TRACE_ID,
  version: 1,
};
const STARTED: ExecutionRow = {
  ...REQUESTED,
  status: 'running',
  attempt: 1,
  queue_time_ms: 7,
  started_at: recordedAtOf(2),
  version: 2,
};
const NOTHING_WRITTEN = { payload: null, bytes_total: 0, truncated: false };
const RESULT = {
  return_code: 0,
  signal: null,
  stdout: NOTHING_WRITTEN,
  stderr: NOTHING_WRITTEN,
  execution_time_ms: 20,
  cpu_time_ms: 10,
  memory_usage_bytes: 1_000_000,
  notes: [],
  compile: null,
  files: [],
  files_skipped: [],
};
const FAILED = { ...RESULT, return_code: 1 };
const running = [event.requested(), event.started()];

test('the files of an attempt are in the row until the next attempt', () => {
  const payload = { payload_id: EXECUTION_ID, bytes: 3, sha256: 'b'.repeat(64) };
  const files = [{ path: 'out/a.png', bytes: 3, sha256: 'a'.repeat(64), media_type: 'image/png', payload }];
  const files_skipped = [{ path: 'link', reason: 'not_a_regular_file' }];
  const result = event.aResult({ files, files_skipped });
  const failed = ExecutionAttemptFailed({ attempt: 1, reason: 'exit_code', detail: null, result });
  expect(rowAfter(...running, failed)).toMatchObject({ files, files_skipped });
  const next = rowAfter(...running, failed, event.retryScheduled(2, 0), event.started(2));
  expect(next).toMatchObject({ files: [], files_skipped: [] });
});

test('the notes of an attempt are in the row until the next attempt', () => {
  const notes = ['the limit of 64 processes was reached (once)'];
  const noted = ExecutionAttemptFailed({
    attempt: 1,
    reason: 'exit_code',
    detail: null,
    result: event.aResult({ notes }),
  });
  expect(rowAfter(...running, noted)).toMatchObject({ notes });
  expect(rowAfter(...running, noted, event.retryScheduled(2, 0), event.started(2))).toMatchObject({ notes: [] });
});

test('a requested execution is pending', () => {
  expect(rowAfter(event.requested())).toEqual(REQUESTED);
});

test('an execution requested outside any trace has none', () => {
  const [first] = recorded(EXECUTION_STREAM, [event.requested()]);
  expect(projectExecution(null, first!)).toEqual({ ...REQUESTED, trace_id: null });
});

test('a started execution is running, on its attempt', () => {
  expect(rowAfter(...running)).toEqual(STARTED);
});

test('a succeeded execution is completed, with its result', () => {
  expect(rowAfter(...running, event.succeeded())).toEqual({
    ...STARTED,
    ...RESULT,
    status: 'completed',
    termination_reason: 'exit_code',
    completed_at: recordedAtOf(3),
    version: 3,
  });
});

test.each(['exit_code', 'signal', 'out_of_memory', 'infrastructure'] as const)(
  'an execution may fail by %s',
  (reason) => {
    expect(rowAfter(...running, event.attemptFailed(1, reason), event.failed(1, reason))).toEqual({
      ...STARTED,
      ...FAILED,
      status: 'failed',
      termination_reason: reason,
      completed_at: recordedAtOf(4),
      version: 4,
    });
  },
);

test('an execution that timed out is a timeout, with what is known of it', () => {
  expect(rowAfter(...running, event.attemptFailed(1, 'timeout'), event.timedOut())).toMatchObject({
    ...FAILED,
    status: 'timeout',
    termination_reason: 'timeout',
  });
  expect(rowAfter(...running, event.attemptFailed(1, 'cpu_time'), event.timedOut())).toMatchObject({
    status: 'timeout',
    termination_reason: 'cpu_time',
  });
});

describe('a retry', () => {
  const waiting = [...running, event.attemptFailed(1, 'timeout'), event.retryScheduled(2, 500)];

  test('is pending, and shows the result of the previous attempt', () => {
    expect(rowAfter(...waiting)).toEqual({
      ...STARTED,
      ...FAILED,
      status: 'pending',
      termination_reason: 'timeout',
      next_attempt_at: event.isoAfterMs(500),
      version: 4,
    });
  });

  test('starts without the previous result', () => {
    expect(rowAfter(...waiting, event.started(2))).toEqual({
      ...STARTED,
      attempt: 2,
      started_at: recordedAtOf(5),
      version: 5,
    });
  });

  test('of a lost attempt shows no result', () => {
    const lost = [...running, event.attemptLost(), event.retryScheduled(2, 500)];
    expect(rowAfter(...lost)).toMatchObject({
      status: 'pending',
      termination_reason: 'infrastructure',
      return_code: null,
    });
  });
});

test('a released attempt is not counted', () => {
  expect(rowAfter(...running, event.attemptReleased())).toEqual({ ...REQUESTED, version: 3 });
});

describe('a cancelled execution', () => {
  test('that was pending has no result', () => {
    expect(rowAfter(event.requested(), event.cancelled())).toEqual({
      ...REQUESTED,
      status: 'cancelled',
      termination_reason: 'cancelled',
      completed_at: recordedAtOf(2),
      version: 2,
    });
  });

  test('is still running when the cancel is requested', () => {
    expect(rowAfter(...running, event.cancellationRequested())).toEqual({ ...STARTED, version: 3 });
  });

  test('keeps its output up to then', () => {
    const cancelled = rowAfter(...running, event.cancellationRequested(), event.cancelled(event.FAILED_RESULT));
    expect(cancelled).toMatchObject({ ...FAILED, status: 'cancelled', termination_reason: 'cancelled' });
  });
});

describe('an external execution', () => {
  const begun = [event.requested({ executor: 'external' }), event.startedElsewhere()];

  test.each([
    ['completed', 'exit_code'],
    ['failed', 'exit_code'],
    ['timeout', 'timeout'],
    ['cancelled', 'cancelled'],
  ] as const)('that is reported as %s ended by %s', (outcome, termination_reason) => {
    expect(rowAfter(...begun, event.reported(outcome))).toEqual({
      ...STARTED,
      ...RESULT,
      executor: 'external',
      queue_time_ms: 0,
      started_at: event.NOW.toISOString(),
      status: outcome,
      termination_reason,
      completed_at: event.NOW.toISOString(),
      version: 3,
    });
  });

  test('started at the reported time', () => {
    const reported = event.reported();
    const started_at = event.isoAfterMs(-5_000);
    const told = { ...reported, data: { ...reported.data, started_at } };
    expect(rowAfter(...begun, told)).toMatchObject({ started_at, completed_at: event.NOW.toISOString() });
  });

  test('has the recorded start while it runs and afterwards', () => {
    const started_at = event.isoAfterMs(-5_000);
    const running = [event.requested({ executor: 'external' }), event.startedElsewhere(1, started_at)];
    expect(rowAfter(...running)).toMatchObject({ status: 'running', started_at });
    expect(rowAfter(...running, event.reported())).toMatchObject({ status: 'completed', started_at });
    expect(rowAfter(...running, event.timedOut())).toMatchObject({ status: 'timeout', started_at });
  });

  test('has the time of the event as its start, if older events contain none', () => {
    const { data, ...v1 } = event.startedElsewhere();
    const { started_at: _, ...old } = data;
    expect(rowAfter(begun[0]!, { ...v1, data: old })).toMatchObject({ started_at: recordedAtOf(2) });
  });

  test('that is never reported has expired, and never started', () => {
    expect(rowAfter(begun[0]!, event.expired)).toEqual({
      ...REQUESTED,
      executor: 'external',
      status: 'timeout',
      termination_reason: 'expired',
      completed_at: recordedAtOf(2),
      version: 2,
    });
  });
});

describe('a dead letter', () => {
  const dead = [...running, event.attemptLost(), event.deadLettered(1)];

  test('is shown as failed', () => {
    expect(rowAfter(...dead)).toMatchObject({
      status: 'failed',
      dead_lettered: true,
      termination_reason: 'infrastructure',
      completed_at: recordedAtOf(4),
    });
  });

  test('after timeouts is shown as a timeout', () => {
    const late = [...running, event.attemptFailed(1, 'timeout'), event.deadLettered(1, 'timeout')];
    expect(rowAfter(...late)).toMatchObject({ status: 'timeout', dead_lettered: true });
  });

  test('is pending again after a redrive', () => {
    expect(rowAfter(...dead, event.redriven(2))).toMatchObject({
      status: 'pending',
      dead_lettered: false,
      completed_at: null,
      attempt: 1,
    });
  });

  test('stays ended after a discard', () => {
    expect(rowAfter(...dead, event.discarded)).toMatchObject({
      status: 'failed',
      dead_lettered: true,
      dead_letter_discarded: true,
    });
  });
});

test('an event of an execution without a row is ignored', () => {
  expect(rowAfter(event.started())).toBeNull();
});

test('the projection reads execution events, and no others', () => {
  const [ofRun] = recorded(EXECUTION_STREAM, [event.requested()], { traceparent: TRACEPARENT });
  const [ofTask] = recorded(TASK_STREAM, [event.requested()]);
  expect(executionProjection.keyOf(ofRun!)).toBe(EXECUTION_ID);
  expect(executionProjection.keyOf(ofTask!)).toBeNull();
  expect(executionProjection.project(null, ofRun!)).toEqual(REQUESTED);
  expect(Object.keys(executionProjection.columns).sort()).toEqual(Object.keys(REQUESTED).sort());
});
