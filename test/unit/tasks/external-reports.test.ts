import { DomainError } from '../../../src/kernel/errors.js';
import type { ExecutionCommand } from '../../../src/tasks/domain/execution-commands.js';
import { executionDecider } from '../../../src/tasks/domain/execution-decider.js';
import type { ExecutionEvent } from '../../../src/tasks/domain/execution-events.js';
import { externalDeadline, LATE_REPORT_GRACE_MS } from '../../../src/tasks/domain/external-deadline.js';
import { CLOCK_SKEW_MS_MAX } from '../../../src/tasks/domain/external-reports.js';
import * as command from '../../support/builders/execution-commands.js';
import * as event from '../../support/builders/executions.js';
import { owner } from '../../support/builders/people.js';
import { given } from '../../support/given.js';

const external = [event.requested({ executor: 'external' })];
const at = event.isoAfterMs;
const runningSince = (startedAt: string) => [...external, event.startedElsewhere(1, startedAt)];

const running = (startedAt: string | null = null) => command.reportRunning(owner, startedAt);
const completed = (changes: Parameters<typeof command.reportEnd>[2] = {}, nowMs = 0) =>
  command.reportEnd('completed', owner, changes, new Date(at(nowMs)));

/** The error message, and its field. */
function refusalOf(history: readonly ExecutionEvent[], refused: ExecutionCommand): [unknown, string] {
  try {
    const state = history.reduce(executionDecider.evolve, executionDecider.initialState);
    executionDecider.decide(refused, state);
  } catch (error) {
    if (error instanceof DomainError && error.code === 'report_time') return [error.details?.['field'], error.message];
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a reported start', () => {
  test.each([
    ['is kept', at(-60_000)],
    ['may be slightly ahead of the clock', at(CLOCK_SKEW_MS_MAX)],
  ])('%s', (_what, startedAt) => {
    given(executionDecider, ...external)
      .when(running(startedAt))
      .then(event.startedElsewhere(1, startedAt));
  });

  test('is the time of the report, if it is not given', () => {
    given(executionDecider, ...external)
      .when(running())
      .then(event.startedElsewhere(1, at(0)));
  });

  test('that is repeated or omitted in a later report changes nothing', () => {
    for (const again of [running(at(-60_000)), running()]) {
      given(executionDecider, ...runningSince(at(-60_000)))
        .when(again)
        .thenNothing();
    }
  });

  test('that differs is refused', () => {
    given(executionDecider, ...runningSince(at(-60_000)))
      .when(running(at(-59_999)))
      .thenRefused('start_reported');
  });

  test('that is too far ahead is refused', () => {
    expect(refusalOf(external, running(at(CLOCK_SKEW_MS_MAX + 1)))).toEqual([
      'started_at',
      'must be at most 300 s ahead of the clock of this service',
    ]);
  });
});

describe('a reported end', () => {
  test('comes after the recorded start', () => {
    const startedAt = at(-60_000);
    given(executionDecider, ...runningSince(startedAt))
      .when(completed({ completedAt: startedAt }))
      .then(event.reported('completed', { completed_at: startedAt, completed_at_reported: true }));
    expect(refusalOf(runningSince(startedAt), completed({ completedAt: at(-60_001) }))).toEqual([
      'completed_at',
      `must not be before the start of the execution, ${startedAt}`,
    ]);
  });

  test('corrects the recorded start with its own', () => {
    const times = { startedAt: at(-90_000), completedAt: at(-70_000) };
    const told = { started_at: times.startedAt, completed_at: times.completedAt, completed_at_reported: true };
    given(executionDecider, ...runningSince(at(-60_000)))
      .when(completed(times))
      .then(event.reported('completed', told));
  });

  test.each([
    ['a pending execution', external],
    ['a running execution', runningSince(at(-60_000))],
  ])('without a time is not before a start ahead of the clock, of %s', (_what, history) => {
    expect(refusalOf(history, completed({ startedAt: '2030-01-01T00:00:00.000Z' }))).toEqual([
      'started_at',
      'must not be after the end of the execution, which is now',
    ]);
  });

  test('without a time is not before a recorded start, if the clock was ahead', () => {
    given(executionDecider, ...runningSince(at(1_000)))
      .when(completed())
      .then(event.reported('completed', { completed_at: at(1_000) }));
  });

  test('that is too far ahead is refused', () => {
    const completedAt = at(CLOCK_SKEW_MS_MAX + 1);
    for (const history of [external, runningSince(at(0))]) {
      expect(refusalOf(history, completed({ completedAt }))[0]).toBe('completed_at');
    }
  });

  test.each([
    ['computed from the execution time', { wall_time_ms: 2_000 }, at(-62_000)],
    ['equal to its end, without an execution time', { wall_time_ms: null }, at(-60_000)],
    ['limited to the earliest time', { wall_time_ms: Number.MAX_SAFE_INTEGER }, '1970-01-01T00:00:00.000Z'],
  ])('without a running report has a start %s', (_what, ran, startedAt) => {
    const [result, completedAt] = [event.aResult(ran), at(-60_000)];
    given(executionDecider, ...external)
      .when(completed({ result, completedAt }))
      .then(
        event.startedElsewhere(1, startedAt),
        event.reported('completed', { result, completed_at: completedAt, completed_at_reported: true }),
      );
  });
});

describe('a repeated report after the end', () => {
  const payload = (payload_id: string) => ({
    payload: { payload_id, bytes: 1, sha256: 'ab'.repeat(32) },
    bytes_total: 1,
    truncated: false,
  });
  const told = {
    result: event.aResult({ stdout: payload('018f0000-0000-7000-8000-000000000021') }),
    startedAt: at(-60_000),
    completedAt: at(-50_000),
  };
  const history = [
    ...runningSince(told.startedAt),
    event.reported('completed', {
      result: told.result,
      started_at: told.startedAt,
      completed_at: told.completedAt,
      completed_at_reported: true,
    }),
  ];

  test('with the same content changes nothing, however late', () => {
    given(executionDecider, ...history)
      .when(completed(told, 3_600_000))
      .thenNothing();
  });

  test.each([
    ['another output', { ...told, result: event.aResult({ stdout: payload('018f0000-0000-7000-8000-000000000022') }) }],
    ['another stream', { ...told, result: event.aResult({ stderr: told.result.stdout }) }],
    ['another code', { ...told, result: { ...told.result, return_code: 1 } }],
    ['another execution time', { ...told, result: { ...told.result, wall_time_ms: 21 } }],
    ['another memory', { ...told, result: { ...told.result, memory_peak_bytes: 1 } }],
    ['another start', { ...told, startedAt: at(-60_001) }],
    ['another end', { ...told, completedAt: at(-49_999) }],
    ['no start', { result: told.result, completedAt: told.completedAt }],
    ['no end', { result: told.result, startedAt: told.startedAt }],
  ])('with %s is a different report', (_what, changes) => {
    given(executionDecider, ...history)
      .when(completed(changes))
      .thenRefused('execution_ended');
  });

  test('without times is the same, although it is later', () => {
    given(executionDecider, ...external, event.startedElsewhere(), event.reported())
      .when(completed({}, 3_600_000))
      .thenNothing();
  });

  test('with the recorded end, which was not reported, is a different report', () => {
    given(executionDecider, ...external, event.startedElsewhere(), event.reported())
      .when(completed({ completedAt: at(0) }))
      .thenRefused('execution_ended');
  });

  test('as running is refused', () => {
    given(executionDecider, ...history)
      .when(running(told.startedAt))
      .thenRefused('execution_ended');
  });
});

describe('the deadline of an external execution', () => {
  const reportedAt = new Date(at(0));
  test.each([
    ['is the start plus the timeout', at(0), 60, 60_000],
    ['may have fractions of a second', at(0), 1.5, 1_500],
    ['counts from a future start', at(120_000), 60, 180_000],
    ['counts from a past start', at(-20_000), 60, 40_000],
    ['leaves time after a late report', at(-3_600_000), 60, LATE_REPORT_GRACE_MS],
    ['leaves at most the timeout', at(-3_600_000), 1, 1_000],
  ])('%s', (_what, startedAt, timeoutSeconds, afterMs) => {
    expect(externalDeadline(startedAt, reportedAt, timeoutSeconds).toISOString()).toBe(at(afterMs));
  });
});
