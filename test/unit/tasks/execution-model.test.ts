import fc from 'fast-check';

import { EventCatalog } from '../../../src/event-sourcing/core/event-catalog.js';
import { type ExecutionEvent, executionEvents } from '../../../src/tasks/domain/execution-events.js';
import { outcomeOf } from '../../../src/tasks/domain/execution-state.js';
import * as command from '../../support/builders/execution-commands.js';
import { RandomExecution, spec, step, type Step } from '../../support/builders/random-executions.js';

const TERMINAL: ReadonlySet<string> = new Set<ExecutionEvent['type']>([
  'ExecutionSucceeded',
  'ExecutionFailed',
  'ExecutionTimedOut',
  'ExecutionCancelled',
  'ExecutionReported',
  'ExecutionExpired',
  'ExecutionDeadLettered',
]);
const AFTER_THE_END: ReadonlySet<string> = new Set<ExecutionEvent['type']>([
  'ExecutionRedriven',
  'ExecutionDeadLetterDiscarded',
]);
const catalog = new EventCatalog(Object.values(executionEvents));

/** One terminal event since the request or the last redrive, and only a redrive or a discard after it. */
function expectOneEnd(run: RandomExecution): void {
  let over = false;
  const misplaced = run.history.filter(({ type }) => {
    const fits = AFTER_THE_END.has(type) === over;
    if (TERMINAL.has(type)) over = true;
    if (type === 'ExecutionRedriven') over = false;
    return !fits;
  });
  expect(misplaced).toEqual([]);
  expect(outcomeOf(run.state) !== null).toBe(over);
}

/** Attempt numbers grow by one, except that a released one is reused. */
function expectGrowingAttempts(run: RandomExecution): void {
  let counted = 0;
  const misnumbered = run.history.filter(({ type, data }) => {
    if (type === 'ExecutionAttemptReleased') counted -= 1;
    if (type !== 'ExecutionAttemptStarted') return false;
    counted += 1;
    return data.attempt !== counted;
  });
  expect(misnumbered).toEqual([]);
}

function expectWithinBudget(run: RandomExecution): void {
  const of = (wanted: ExecutionEvent['type']) => run.sinceBudget().filter(({ type }) => type === wanted).length;
  const used = of('ExecutionAttemptStarted') - of('ExecutionAttemptReleased');
  if (run.state.status !== 'absent') expect(used).toBeLessThanOrEqual(run.state.spec.retry.max_attempts);
}

function expectStorable({ history }: RandomExecution): void {
  const stored = JSON.parse(JSON.stringify(history)) as ExecutionEvent[];
  expect(stored.map((event) => catalog.upcast(event.type, event.data, catalog.schemaVersionOf(event)))).toEqual(
    history,
  );
}

const anyRun = fc.record({
  spec,
  steps: fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }),
});

function play({ spec: changes, steps }: { spec: object; steps: readonly Step[] }): RandomExecution {
  const run = new RandomExecution();
  run.take(command.request(changes));
  for (const next of steps) run.take(next(run.attempt));
  return run;
}

test('after any commands, an execution ends once, in order, within its budget, with storable text', () => {
  fc.assert(
    fc.property(anyRun, (drawn) => {
      const run = play(drawn);
      expectGrowingAttempts(run);
      expectWithinBudget(run);
      expectStorable(run);
      expectOneEnd(run);
    }),
    { numRuns: 500 },
  );
});

test('after any commands, an active execution can still be brought to its end', () => {
  fc.assert(
    fc.property(anyRun, (drawn) => {
      const run = play(drawn);
      run.take(command.startAttempt(run.attempt + 1));
      run.take(command.reportSuccess(command.leaseOf(run.attempt)));
      run.take(command.reportEnd());
      expectOneEnd(run);
      expect(outcomeOf(run.state)).not.toBeNull();
    }),
    { numRuns: 200 },
  );
});

test('the random commands reach every event type', () => {
  const seen = new Set(
    fc.sample(anyRun, { numRuns: 500, seed: 1 }).flatMap((drawn) => play(drawn).history.map(({ type }) => type)),
  );
  expect([...seen].sort()).toEqual(Object.keys(executionEvents).sort());
});
