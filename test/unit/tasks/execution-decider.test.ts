import { fold } from '../../../src/event-sourcing/core/decider.js';
import type { ExecutionCommand } from '../../../src/tasks/domain/execution-commands.js';
import { executionDecider } from '../../../src/tasks/domain/execution-decider.js';
import { type ExecutionEvent, executionEvents } from '../../../src/tasks/domain/execution-events.js';
import { type ExecutionState, outcomeOf } from '../../../src/tasks/domain/execution-state.js';
import * as command from '../../support/builders/execution-commands.js';
import * as event from '../../support/builders/executions.js';
import { given } from '../../support/given.js';
import { CELLS } from './execution-cells.js';
import { type Cell, type CommandName, COMMANDS, type StateName, STATES } from './execution-table.js';

const stateNames = Object.keys(STATES) as StateName[];
const commandNames = Object.keys(COMMANDS) as CommandName[];
const stateOf = (name: StateName): ExecutionState =>
  fold(executionDecider, executionDecider.initialState, STATES[name].history);

describe.each(stateNames)('an execution that is %s', (stateName) => {
  const { attempt, history } = STATES[stateName];

  test.each(commandNames)('%s', (commandName) => {
    const decision = given(executionDecider, ...history).when(COMMANDS[commandName](attempt));
    const cell: Cell = CELLS[stateName][commandName];
    if (typeof cell === 'string') return decision.thenRefused(cell);
    const [first, ...others] = cell;
    return first === undefined ? decision.thenNothing() : decision.then(first, ...others);
  });
});

describe('the decision table', () => {
  const known = <Name extends string>(names: Record<Name, true>): string[] => Object.keys(names).sort();

  test('has a cell for every state and command, and no other', () => {
    expect(Object.keys(CELLS).sort()).toEqual([...stateNames].sort());
    for (const row of Object.values(CELLS)) expect(Object.keys(row).sort()).toEqual([...commandNames].sort());
  });

  test('has every command', () => {
    const types = commandNames.map((name) => COMMANDS[name](1).type);
    expect([...new Set(types)].sort()).toEqual(
      known<ExecutionCommand['type']>({
        RequestExecution: true,
        StartAttempt: true,
        ReportSuccess: true,
        ReportFailure: true,
        ReleaseAttempt: true,
        CancelExecution: true,
        LoseAttempt: true,
        ExpireExternalExecution: true,
        ExpireUnreportedExecution: true,
        RedriveExecution: true,
        DiscardDeadLetter: true,
        ReportExternalExecution: true,
      }),
    );
  });

  test('has every state', () => {
    expect([...new Set(stateNames.map((name) => stateOf(name).status))].sort()).toEqual(
      known<ExecutionState['status']>({
        absent: true,
        pending: true,
        running: true,
        cancelling: true,
        ended: true,
        dead_lettered: true,
      }),
    );
  });

  test('has every event as a result', () => {
    const cells = Object.values(CELLS).flatMap((row) => Object.values(row));
    const answers = cells.flatMap((cell) => (typeof cell === 'string' ? [] : cell.map(({ type }) => type)));
    expect([...new Set(answers)].sort()).toEqual(Object.keys(executionEvents).sort());
  });
});

describe('an end as clients see it', () => {
  test.each<[StateName, ReturnType<typeof outcomeOf>]>([
    ['absent', null],
    ['pending', null],
    ['running', null],
    ['cancelling', null],
    ['succeeded', 'completed'],
    ['failed', 'failed'],
    ['timed out', 'timeout'],
    ['cancelled', 'cancelled'],
    ['reported', 'completed'],
    ['expired', 'timeout'],
    ['dead-lettered', 'failed'],
    ['dead-lettered, timeout', 'timeout'],
    ['dead-lettered, discarded', 'failed'],
    ['pending, redriven', null],
  ])('%s is %s', (name, outcome) => {
    expect(outcomeOf(stateOf(name))).toBe(outcome);
  });
});

describe('failures', () => {
  const running = [event.requested(), event.started()];

  test.each(['exit_code', 'signal', 'out_of_memory'] as const)('a %s that is not retried fails', (reason) => {
    given(executionDecider, ...running)
      .when(command.reportFailure(reason))
      .then(event.attemptFailed(1, reason), event.failed(1, reason));
  });

  test('a timeout that is not retried ends as timed out', () => {
    const retry = { ...event.aSpec().retry, retry_on: [] };
    given(executionDecider, event.requested({ retry }), event.started())
      .when(command.reportFailure('timeout'))
      .then(event.attemptFailed(1, 'timeout'), event.timedOut());
  });

  test('a release does not use up an attempt', () => {
    const handedBack = Array.from({ length: 10 }, () => [event.started(), event.attemptReleased()]).flat();
    given(executionDecider, event.requested(), ...handedBack, event.started())
      .when(command.lose(1))
      .then(event.attemptLost(1), event.retryScheduled(2, 500));
  });

  test.each(['completed', 'failed', 'timeout', 'cancelled'] as const)(
    'an external execution may end as %s',
    (outcome) => {
      given(executionDecider, event.requested({ executor: 'external' }))
        .when(command.reportEnd(outcome))
        .then(event.startedElsewhere(1, event.isoAfterMs(-20)), event.reported(outcome));
    },
  );
});

test('an event of an execution that was never requested is a bug, not a refusal', () => {
  const orphan: ExecutionEvent = event.started();
  expect(() => executionDecider.evolve({ status: 'absent' }, orphan)).toThrow('never requested');
});
