import type { ExecutionCommand } from '../../../src/tasks/domain/execution-commands.js';
import type { ExecutionEvent } from '../../../src/tasks/domain/execution-events.js';
import * as command from '../../support/builders/execution-commands.js';
import * as event from '../../support/builders/executions.js';
import { admin, stranger } from '../../support/builders/people.js';

/** The expected result of a command: events, a refusal's code, or nothing. */
export type Cell = readonly ExecutionEvent[] | string;

const lost = (attempt: number) => [event.started(attempt), event.attemptLost(attempt)];
const twoLost = [...lost(1), event.retryScheduled(2, 500), ...lost(2), event.retryScheduled(3, 1_000)];
const used = [...twoLost, ...lost(3), event.deadLettered(3)];
const lastTimedOut = [event.started(3), event.attemptFailed(3, 'timeout'), event.deadLettered(3, 'timeout')];

/** Every state of an execution: a history that leads there, and the number of its latest attempt. */
export const STATES = {
  absent: { attempt: 0, history: [] },
  pending: { attempt: 0, history: [event.requested()] },
  'pending, released': { attempt: 0, history: [event.requested(), event.started(), event.attemptReleased()] },
  'pending, to be retried': { attempt: 1, history: [event.requested(), ...lost(1), event.retryScheduled(2, 500)] },
  'pending, redriven': { attempt: 3, history: [event.requested(), ...used, event.redriven(4)] },
  'pending, external': { attempt: 0, history: [event.requested({ executor: 'external' })] },
  running: { attempt: 1, history: [event.requested(), event.started()] },
  'running, last attempt': { attempt: 3, history: [event.requested(), ...twoLost, event.started(3)] },
  'running, redriven': { attempt: 4, history: [event.requested(), ...used, event.redriven(4), event.started(4)] },
  'running, external': {
    attempt: 1,
    history: [event.requested({ executor: 'external' }), event.startedElsewhere()],
  },
  'running, taken over': { attempt: 1, history: [event.requested(), event.startedElsewhere()] },
  cancelling: { attempt: 1, history: [event.requested(), event.started(), event.cancellationRequested()] },
  succeeded: { attempt: 1, history: [event.requested(), event.started(), event.succeeded()] },
  failed: { attempt: 1, history: [event.requested(), event.started(), event.attemptFailed(), event.failed()] },
  'timed out': {
    attempt: 1,
    history: [event.requested({ executor: 'external' }), event.startedElsewhere(), event.timedOut()],
  },
  cancelled: { attempt: 0, history: [event.requested(), event.cancelled()] },
  reported: { attempt: 1, history: [event.requested(), event.startedElsewhere(), event.reported()] },
  expired: { attempt: 0, history: [event.requested({ executor: 'external' }), event.expired] },
  'dead-lettered': { attempt: 3, history: [event.requested(), ...used] },
  'dead-lettered, timeout': { attempt: 3, history: [event.requested(), ...twoLost, ...lastTimedOut] },
  'dead-lettered, discarded': { attempt: 3, history: [event.requested(), ...used, event.discarded] },
} as const satisfies Record<string, { attempt: number; history: readonly ExecutionEvent[] }>;
export type StateName = keyof typeof STATES;

const anotherToken = (attempt: number) => command.leaseOf(attempt, 'a token of somebody else');

/** Every command, in every variant that a state may treat differently; `attempt` is the state's latest. */
export const COMMANDS = {
  request: () => command.request(),
  'start the next attempt': (attempt) => command.startAttempt(attempt + 1),
  'start the latest attempt': (attempt) => command.startAttempt(attempt, 'a new token'),
  'start the latest attempt, its own token': (attempt) => command.startAttempt(attempt, event.tokenOf(attempt)),
  'start a later attempt': (attempt) => command.startAttempt(attempt + 2),
  'report success': (attempt) => command.reportSuccess(command.leaseOf(attempt)),
  'report success, another token': (attempt) => command.reportSuccess(anotherToken(attempt)),
  'report success, an earlier attempt': (attempt) =>
    command.reportSuccess(command.leaseOf(attempt - 1, event.tokenOf(attempt))),
  'report exit_code': (attempt) => command.reportFailure('exit_code', { lease: command.leaseOf(attempt) }),
  'report timeout': (attempt) => command.reportFailure('timeout', { lease: command.leaseOf(attempt) }),
  'report cancelled': (attempt) => command.reportFailure('cancelled', { lease: command.leaseOf(attempt) }),
  'report failure, another token': (attempt) => command.reportFailure('exit_code', { lease: anotherToken(attempt) }),
  release: (attempt) => command.release(command.leaseOf(attempt)),
  'release, another token': (attempt) => command.release(anotherToken(attempt)),
  cancel: () => command.cancel(),
  'cancel, as admin': () => command.cancel(admin),
  'cancel, as the system': () => command.cancel('system'),
  'cancel, as another user': () => command.cancel(stranger),
  'lose the attempt': (attempt) => command.lose(attempt),
  'lose an earlier attempt': (attempt) => command.lose(attempt - 1),
  expire: (attempt) => command.expire(attempt),
  'expire an earlier attempt': (attempt) => command.expire(attempt - 1),
  'expire, unreported': () => command.expireUnreported(),
  redrive: () => command.redrive(),
  'redrive, as another user': () => command.redrive(stranger),
  discard: () => command.discard(),
  'discard, as another user': () => command.discard(stranger),
  'external: running': () => command.reportRunning(),
  'external: completed': () => command.reportEnd('completed'),
  'external: failed': () => command.reportEnd('failed'),
  'external: as another user': () => command.reportEnd('completed', stranger),
} as const satisfies Record<string, (attempt: number) => ExecutionCommand>;
export type CommandName = keyof typeof COMMANDS;
