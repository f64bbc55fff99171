import type { ExecutionEvent } from '../../../src/tasks/domain/execution-events.js';
import { LifecycleInvariant } from '../../../src/tasks/domain/lifecycle-invariant.js';
import * as event from '../../support/builders/executions.js';
import { OTHER_EXECUTION_ID, EXECUTION_ID } from '../../support/builders/tasks.js';
import { STATES } from './execution-table.js';

const objectionsTo = (...history: readonly ExecutionEvent[]): string[] => {
  const oracle = new LifecycleInvariant();
  return history.map(({ type }) => oracle.see(EXECUTION_ID, type)).filter((objection) => objection !== null);
};

test.each(Object.entries(STATES))('an execution that is %s is valid', (_, { history }) => {
  expect(objectionsTo(...history)).toEqual([]);
});

const ended = [event.requested(), event.started(), event.succeeded()];

test.each<[string, ExecutionEvent[]]>([
  ['has two ends', [...ended, event.failed()]],
  ['continues after its end', [...ended, event.started(2)]],
  ['is requested twice', [event.requested(), event.requested()]],
  ['is redriven while active', [event.requested(), event.started(), event.redriven(2)]],
  ['was never requested', [event.started()]],
  ['ends twice after one redrive', [...ended, event.redriven(2), event.cancelled(), event.cancelled()]],
])('an execution that %s is invalid', (_, history) => {
  expect(objectionsTo(...history)).toHaveLength(1);
});

test('executions are distinguished, and open ones are counted', () => {
  const oracle = new LifecycleInvariant();
  expect(oracle.see(EXECUTION_ID, 'ExecutionRequested')).toBeNull();
  expect(oracle.see(OTHER_EXECUTION_ID, 'ExecutionRequested')).toBeNull();
  expect(oracle.openCount).toBe(2);
  expect(oracle.see(EXECUTION_ID, 'ExecutionCancelled')).toBeNull();
  expect(oracle.openCount).toBe(1);
  expect(oracle.see(OTHER_EXECUTION_ID, 'ExecutionCancelled')).toBeNull();
});
