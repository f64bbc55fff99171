import { type ActiveExecution, foldActive } from '../../../src/orchestrator/active-execution.js';
import { type Effect, effectsOf } from '../../../src/orchestrator/effects.js';
import { type ExecutionEvent, executionEvents, isWorkersStart } from '../../../src/tasks/domain/execution-events.js';
import { anActiveExecution, aRunningExecution } from '../../support/builders/active.js';
import * as event from '../../support/builders/executions.js';
import { OWNER_ID } from '../../support/builders/people.js';
import { recorded, recordedAtOf, EXECUTION_STREAM, TRACEPARENT } from '../../support/builders/recorded.js';
import { EXECUTION_ID } from '../../support/builders/tasks.js';

interface Seen {
  readonly after: ActiveExecution | null;
  /** Only of the last event. */
  readonly effects: readonly Effect[];
}

function follow(...events: ExecutionEvent[]): Seen {
  let seen: Seen = { after: null, effects: [] };
  for (const each of recorded(EXECUTION_STREAM, events, { traceparent: TRACEPARENT })) {
    const after = foldActive(seen.after, each);
    seen = { after, effects: effectsOf(each, seen.after, after) };
  }
  return seen;
}

const job = { executionId: EXECUTION_ID, attempt: 1, userId: OWNER_ID, priority: 5 };
const enqueued = (changes: object = {}): Effect => ({ type: 'enqueue', job: { ...job, ...changes } });
const withdrawn = (attempt: number): Effect => ({ type: 'withdraw', executionId: EXECUTION_ID, attempt });
const waiting = anActiveExecution({ traceparent: TRACEPARENT, requested_at: recordedAtOf(1) });
const running = aRunningExecution({
  traceparent: TRACEPARENT,
  requested_at: recordedAtOf(1),
  started_at: recordedAtOf(2),
});
/** By the report of its start, which is not later. */
const elsewhere = {
  ...running,
  worker: 'external',
  lease_token: null,
  started_at: recordedAtOf(2),
  due_at: new Date(Date.parse(recordedAtOf(2)) + 300_000).toISOString(),
};

const started = [event.requested(), event.started()];
const dead = [...started, event.attemptLost(), event.deadLettered(1)];
const startedElsewhere = event.startedElsewhere(1, recordedAtOf(2));
const takenOver = [event.requested(), startedElsewhere];
const external = [event.requested({ executor: 'external' })];

/** The orchestrator's row and effects after a history that ends there; at least one case per kind of end. */
const STEPS: readonly [string, ExecutionEvent[], Seen['after'], readonly Effect[]][] = [
  ['an execution is requested', [event.requested()], waiting, [enqueued()]],
  ['an external execution is requested', external, { ...waiting, executor: 'external' }, []],
  ['an attempt starts', started, running, []],
  ['an attempt fails', [...started, event.attemptFailed()], running, []],
  [
    'a retry is scheduled',
    [...started, event.attemptLost(), event.retryScheduled(2, 500)],
    { ...waiting, attempt: 2, not_before: event.isoAfterMs(500) },
    [enqueued({ attempt: 2, notBefore: event.NOW.getTime() + 500 })],
  ],
  ['an attempt is released', [...started, event.attemptReleased()], waiting, [enqueued()]],
  ['a cancel is requested', [...started, event.cancellationRequested()], running, []],
  ['a pending execution is cancelled', [event.requested(), event.cancelled()], null, [withdrawn(1)]],
  ['an execution succeeds', [...started, event.succeeded()], null, [withdrawn(1)]],
  ['an execution fails', [...started, event.attemptFailed(), event.failed()], null, [withdrawn(1)]],
  ['an execution times out', [...started, event.attemptFailed(1, 'timeout'), event.timedOut()], null, [withdrawn(1)]],
  ['a run is taken over', takenOver, elsewhere, [withdrawn(1)]],
  ['a run that was taken over is reported', [...takenOver, event.reported()], null, [withdrawn(1)]],
  ['an external run begins', [...external, startedElsewhere], { ...elsewhere, executor: 'external' }, []],
  ['an external run is reported', [...external, event.startedElsewhere(), event.reported()], null, []],
  ['an external run is out of time', [...external, event.startedElsewhere(), event.timedOut()], null, []],
  ['an external run is never reported', [...external, event.expired], null, []],
  ['a run becomes a dead letter', dead, { ...waiting, status: 'dead_lettered' }, [withdrawn(1)]],
  ['a dead letter is redriven', [...dead, event.redriven(2)], { ...waiting, attempt: 2 }, [enqueued({ attempt: 2 })]],
  ['a dead letter is discarded', [...dead, event.discarded], null, []],
];

test.each(STEPS)('%s', (_, history, after, effects) => {
  expect(follow(...history)).toEqual({ after, effects });
});

test('no event with an effect can wait', () => {
  const patient = STEPS.filter(([, history]) => isWorkersStart(recorded(EXECUTION_STREAM, history).at(-1)!));
  expect(patient.map(([name, , , effects]) => [name, effects])).toEqual([['an attempt starts', []]]);
});

test('every event type is covered', () => {
  const ends = new Set(STEPS.map(([, history]) => history.at(-1)!.type));
  expect([...ends].sort()).toEqual(Object.keys(executionEvents).sort());
});

test('the same event always has the same effects', () => {
  for (const [, history] of STEPS) expect(follow(...history)).toEqual(follow(...history));
});

test.each([
  ['text, as events have them', event.isoAfterMs(500)],
  ['dates, as Postgres gives them', new Date(event.isoAfterMs(500))],
])('times may be %s', (_, not_before) => {
  const [scheduled] = recorded(EXECUTION_STREAM, [event.retryScheduled(2, 500)]);
  const after = anActiveExecution({ attempt: 2, not_before });
  expect(effectsOf(scheduled!, anActiveExecution(), after)).toEqual([
    enqueued({ attempt: 2, notBefore: event.NOW.getTime() + 500 }),
  ]);
});

test('an event of an ended execution has no effect', () => {
  const late = recorded(EXECUTION_STREAM, [event.attemptReleased(), event.retryScheduled(2, 1), event.cancelled()]);
  for (const each of late) {
    expect(foldActive(null, each)).toBeNull();
    expect(effectsOf(each, null, null)).toEqual([]);
  }
});
