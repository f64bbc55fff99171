import fc from 'fast-check';

import type { ExecutionCommand } from '../../../src/execution/domain/execution-commands.js';
import { executionDecider } from '../../../src/execution/domain/execution-decider.js';
import { type ExecutionEvent, executionEvents } from '../../../src/execution/domain/execution-events.js';
import { type ExecutionState, outcomeOf } from '../../../src/execution/domain/execution-state.js';
import { DomainError } from '../../../src/kernel/errors.js';
import { EventCatalog } from '../../../src/kernel/event-catalog.js';
import { FAILURE_REASONS, RETRYABLE_REASONS } from '../../../src/kernel/run-shape.js';
import * as command from '../../support/builders/execution-commands.js';
import { NOW } from '../../support/builders/executions.js';
import { admin, owner, stranger } from '../../support/builders/people.js';

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

/** A command made for the attempt that the run is at when its turn comes. */
type Step = (attempt: number) => ExecutionCommand;

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }).map((random) => ({ now: NOW, random }));
const requester = fc.constantFrom(owner, owner, admin, 'system' as const, stranger);
const offset = fc.constantFrom(0, 0, 0, 0, -1, 1);
const hold = fc.tuple(offset, fc.constantFrom(true, true, true, false)).map(
  ([by, mine]) =>
    (attempt: number) =>
      command.holdOf(attempt + by, mine ? undefined : 'a token of another'),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>(() => command.request()),
  { weight: 6, arbitrary: offset.map<Step>((by) => (attempt) => command.startAttempt(attempt + 1 + by)) },
  { weight: 2, arbitrary: hold.map<Step>((holding) => (attempt) => command.reportSuccess(holding(attempt))) },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constantFrom(...FAILURE_REASONS, 'cancelled' as const), hold, chance).map<Step>(
      ([reason, holding, drawn]) =>
        (attempt) =>
          command.reportFailure(reason, { hold: holding(attempt), chance: drawn }),
    ),
  },
  { weight: 2, arbitrary: hold.map<Step>((holding) => (attempt) => command.release(holding(attempt))) },
  requester.map<Step>((who) => () => command.cancel(who)),
  {
    weight: 2,
    arbitrary: fc.tuple(offset, chance).map<Step>(
      ([by, drawn]) =>
        (n) =>
          command.lose(n + by, drawn),
    ),
  },
  offset.map<Step>((by) => (attempt) => command.expire(attempt + by)),
  fc.constant<Step>(() => command.expireUnreported()),
  { weight: 3, arbitrary: requester.map<Step>((who) => () => command.redrive(who)) },
  requester.map<Step>((who) => () => command.discard(who)),
  requester.map<Step>((who) => () => command.reportRunning(who)),
  fc.tuple(fc.constantFrom('completed', 'failed', 'timeout', 'cancelled'), requester).map<Step>(
    ([outcome, who]) =>
      () =>
        command.reportEnd(outcome, who),
  ),
);

const spec = fc.record({
  executor: fc.constantFrom('embedded' as const, 'embedded' as const, 'external' as const),
  retry: fc.record({
    max_attempts: fc.integer({ min: 1, max: 4 }),
    initial_delay_ms: fc.nat(10_000),
    backoff_factor: fc.double({ min: 1, max: 10, noNaN: true }),
    max_delay_ms: fc.nat(60_000),
    retry_on: fc.subarray([...RETRYABLE_REASONS]),
  }),
});

/** A run driven by commands, with its whole history. */
class Run {
  state: ExecutionState = executionDecider.initialState;
  readonly history: ExecutionEvent[] = [];

  get attempt(): number {
    return this.state.status === 'absent' ? 0 : this.state.attempt;
  }

  take(taken: ExecutionCommand): void {
    try {
      for (const event of executionDecider.decide(taken, this.state)) this.append(event);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
    }
  }

  private append(event: ExecutionEvent): void {
    this.history.push(event);
    this.state = executionDecider.evolve(this.state, event);
  }

  /** What happened since the request, or since the last redrive. */
  sinceBudget(): readonly ExecutionEvent[] {
    return this.history.slice(this.history.findLastIndex(({ type }) => type === 'ExecutionRedriven') + 1);
  }
}

/** One terminal event since the request or the last redrive, and nothing but a redrive or a discard after it. */
function expectOneEnd(run: Run): void {
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

/** Numbers go up by one, except that one handed back is taken again. */
function expectGrowingAttempts(run: Run): void {
  let counted = 0;
  const misnumbered = run.history.filter(({ type, data }) => {
    if (type === 'ExecutionAttemptReleased') counted -= 1;
    if (type !== 'ExecutionStarted') return false;
    counted += 1;
    return data.attempt !== counted;
  });
  expect(misnumbered).toEqual([]);
}

function expectWithinBudget(run: Run): void {
  const of = (wanted: ExecutionEvent['type']) => run.sinceBudget().filter(({ type }) => type === wanted).length;
  const used = of('ExecutionStarted') - of('ExecutionAttemptReleased');
  if (run.state.status !== 'absent') expect(used).toBeLessThanOrEqual(run.state.spec.retry.max_attempts);
}

function expectStorable({ history }: Run): void {
  const stored = JSON.parse(JSON.stringify(history)) as ExecutionEvent[];
  expect(stored.map((event) => catalog.lift(event.type, event.data, catalog.schemaVersionOf(event)))).toEqual(history);
}

const anyRun = fc.record({
  spec,
  steps: fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }),
});

function play({ spec: changes, steps }: { spec: object; steps: readonly Step[] }): Run {
  const run = new Run();
  run.take(command.request(changes));
  for (const next of steps) run.take(next(run.attempt));
  return run;
}

test('whatever is commanded, a run ends once, in order, within its budget, and in storable words', () => {
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

test('whatever was commanded, a run that is not over can still be brought to its end', () => {
  fc.assert(
    fc.property(anyRun, (drawn) => {
      const run = play(drawn);
      run.take(command.startAttempt(run.attempt + 1));
      run.take(command.reportSuccess(command.holdOf(run.attempt)));
      run.take(command.reportEnd());
      expectOneEnd(run);
      expect(outcomeOf(run.state)).not.toBeNull();
    }),
    { numRuns: 200 },
  );
});

test('the commands drawn reach every event there is', () => {
  const seen = new Set(
    fc.sample(anyRun, { numRuns: 500, seed: 1 }).flatMap((drawn) => play(drawn).history.map(({ type }) => type)),
  );
  expect([...seen].sort()).toEqual(Object.keys(executionEvents).sort());
});
