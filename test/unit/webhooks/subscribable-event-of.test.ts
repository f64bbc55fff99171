import { executionEvents, type ExecutionEvent } from '../../../src/tasks/domain/execution-events.js';
import { END_EVENTS, SUBSCRIBABLE_EVENTS } from '../../../src/tasks/domain/subscribable-events.js';
import { subscribableEventOf } from '../../../src/webhooks/domain/subscribable-event-of.js';

const NAMES: Readonly<Record<ExecutionEvent['type'], string | null>> = {
  ExecutionRequested: 'execution.created',
  ExecutionAttemptStarted: 'execution.started',
  ExecutionAttemptFailed: null,
  ExecutionAttemptReleased: null,
  ExecutionRetryScheduled: 'execution.retrying',
  ExecutionSucceeded: 'execution.completed',
  ExecutionFailed: 'execution.failed',
  ExecutionTimedOut: 'execution.timeout',
  ExecutionExpired: 'execution.timeout',
  ExecutionCancellationRequested: null,
  ExecutionCancelled: 'execution.cancelled',
  ExecutionDeadLettered: 'execution.dead_lettered',
  ExecutionDeadLetterDiscarded: null,
  ExecutionRedriven: 'execution.redriven',
  ExecutionReported: 'execution.completed',
};

const nameOf = (type: string, data: object = { outcome: 'completed' }) =>
  subscribableEventOf({ type, data } as unknown as ExecutionEvent);

test('every event of an execution has a name outside the service, or none', () => {
  const types = Object.keys(executionEvents).toSorted();
  expect(types).toEqual(Object.keys(NAMES).toSorted());
  expect(Object.fromEntries(types.map((type) => [type, nameOf(type)]))).toEqual(NAMES);
});

test.each(['completed', 'failed', 'timeout', 'cancelled'])('a reported end: %s', (outcome) =>
  expect(nameOf('ExecutionReported', { outcome })).toBe(`execution.${outcome}`),
);

test('every name that can be subscribed to is used, and every end is one', () => {
  const used = new Set([...Object.values(NAMES), 'execution.failed']);
  expect(SUBSCRIBABLE_EVENTS.filter((name) => !used.has(name))).toEqual([]);
  expect(END_EVENTS.every((name) => SUBSCRIBABLE_EVENTS.includes(name))).toBe(true);
});
