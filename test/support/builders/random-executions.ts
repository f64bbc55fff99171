import fc from 'fast-check';

import { DomainError } from '../../../src/kernel/errors.js';
import type { ExecutionCommand } from '../../../src/tasks/domain/execution-commands.js';
import { executionDecider } from '../../../src/tasks/domain/execution-decider.js';
import type { ExecutionEvent } from '../../../src/tasks/domain/execution-events.js';
import { FAILURE_REASONS, RETRYABLE_REASONS } from '../../../src/tasks/domain/execution-shape.js';
import type { ExecutionState } from '../../../src/tasks/domain/execution-state.js';
import * as command from './execution-commands.js';
import { NOW } from './executions.js';
import { admin, owner, stranger } from './people.js';

/** Makes a command for the attempt that is current when the step runs. */
export type Step = (attempt: number) => ExecutionCommand;

const retryContext = fc
  .double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  .map((random) => ({ now: NOW, random }));
const requester = fc.constantFrom(owner, owner, admin, 'system' as const, stranger);
const offset = fc.constantFrom(0, 0, 0, 0, -1, 1);
const hold = fc.tuple(offset, fc.constantFrom(true, true, true, false)).map(
  ([by, mine]) =>
    (attempt: number) =>
      command.leaseOf(attempt + by, mine ? undefined : 'a token of another'),
);

export const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>(() => command.request()),
  { weight: 6, arbitrary: offset.map<Step>((by) => (attempt) => command.startAttempt(attempt + 1 + by)) },
  { weight: 2, arbitrary: hold.map<Step>((holding) => (attempt) => command.reportSuccess(holding(attempt))) },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constantFrom(...FAILURE_REASONS, 'cancelled' as const), hold, retryContext).map<Step>(
      ([reason, holding, drawn]) =>
        (attempt) =>
          command.reportFailure(reason, { lease: holding(attempt), retryContext: drawn }),
    ),
  },
  { weight: 2, arbitrary: hold.map<Step>((holding) => (attempt) => command.release(holding(attempt))) },
  requester.map<Step>((who) => () => command.cancel(who)),
  {
    weight: 2,
    arbitrary: fc.tuple(offset, retryContext).map<Step>(
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

export const spec = fc.record({
  executor: fc.constantFrom('embedded' as const, 'embedded' as const, 'external' as const),
  retry: fc.record({
    max_attempts: fc.integer({ min: 1, max: 4 }),
    initial_delay_ms: fc.nat(10_000),
    backoff_factor: fc.double({ min: 1, max: 10, noNaN: true }),
    max_delay_ms: fc.nat(60_000),
    retry_on: fc.subarray([...RETRYABLE_REASONS]),
  }),
});

/** An execution driven by commands, with its whole history. */
export class RandomExecution {
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

  /** The events since the request, or since the last redrive. */
  sinceBudget(): readonly ExecutionEvent[] {
    return this.history.slice(this.history.findLastIndex(({ type }) => type === 'ExecutionRedriven') + 1);
  }
}
