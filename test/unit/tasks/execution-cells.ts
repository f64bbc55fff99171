import * as event from '../../support/builders/executions.js';
import type { Cell, CommandName, StateName } from './execution-table.js';

type Row = Readonly<Record<CommandName, Cell>>;

const NOTHING: Cell = [];
/** For an execution whose first report is its end: the start is computed from its duration. */
const ITS_START = event.isoAfterMs(-event.aResult().wall_time_ms!);

/** Other users get this refusal for every existing execution. */
const FORBIDDEN = {
  'cancel, as another user': 'access_denied',
  'redrive, as another user': 'access_denied',
  'discard, as another user': 'access_denied',
  'external: as another user': 'access_denied',
} as const;

/** No attempt holds a lease: reports of attempts are refused. */
const UNHELD = {
  'start the latest attempt': 'attempt_not_waiting',
  'start the latest attempt, its own token': 'attempt_not_waiting',
  'start a later attempt': 'attempt_not_waiting',
  'report success': 'attempt_not_held',
  'report success, another token': 'attempt_not_held',
  'report success, an earlier attempt': 'attempt_not_held',
  'report exit_code': 'attempt_not_held',
  'report timeout': 'attempt_not_held',
  'report cancelled': 'attempt_not_held',
  'report failure, another token': 'attempt_not_held',
  release: 'attempt_not_held',
  'release, another token': 'attempt_not_held',
  'lose the attempt': NOTHING,
  'lose an earlier attempt': NOTHING,
  expire: NOTHING,
  'expire an earlier attempt': NOTHING,
  'expire, unreported': NOTHING,
} as const;

const NOT_DEAD = { redrive: 'not_dead_lettered', discard: 'not_dead_lettered' } as const;

const cancelBy = (cell: Cell) => ({ cancel: cell, 'cancel, as admin': cell, 'cancel, as the system': cell });

const waitingFor = (attempt: number): Row => ({
  ...FORBIDDEN,
  ...UNHELD,
  ...NOT_DEAD,
  ...cancelBy([event.cancelled()]),
  request: NOTHING,
  'start the next attempt': [event.started(attempt)],
  'external: running': [event.startedElsewhere(attempt)],
  'external: completed': [event.startedElsewhere(attempt, ITS_START), event.reported()],
  'external: failed': [event.startedElsewhere(attempt, ITS_START), event.reported('failed')],
});

/** @param exhausted the events after a failure that the policy retries */
const heldBy = (attempt: number, exhausted: { lost: Cell; timeout: Cell }): Row => ({
  ...FORBIDDEN,
  ...UNHELD,
  ...NOT_DEAD,
  ...cancelBy([event.cancellationRequested(attempt)]),
  request: NOTHING,
  'start the next attempt': 'attempt_not_waiting',
  // By a holder that never received the response.
  'start the latest attempt, its own token': NOTHING,
  'report success': [event.succeeded(attempt)],
  'report exit_code': [event.attemptFailed(attempt), event.failed(attempt)],
  'report timeout': exhausted.timeout,
  'report cancelled': 'cancellation_not_requested',
  release: [event.attemptReleased(attempt)],
  'lose the attempt': exhausted.lost,
  'external: running': 'execution_taken',
  'external: completed': 'execution_taken',
  'external: failed': 'execution_taken',
});

const retriedAfter = (attempt: number, delayMs: number) => ({
  lost: [event.attemptLost(attempt), event.retryScheduled(attempt + 1, delayMs)],
  timeout: [event.attemptFailed(attempt, 'timeout'), event.retryScheduled(attempt + 1, delayMs)],
});

const ELSEWHERE: Row = {
  ...FORBIDDEN,
  ...UNHELD,
  ...NOT_DEAD,
  ...cancelBy([event.cancelled()]),
  request: NOTHING,
  'start the next attempt': 'attempt_not_waiting',
  expire: [event.timedOut()],
  'external: running': NOTHING,
  'external: completed': [event.reported()],
  'external: failed': [event.reported('failed')],
};

const OVER: Row = {
  ...FORBIDDEN,
  ...UNHELD,
  ...NOT_DEAD,
  ...cancelBy('execution_ended'),
  request: NOTHING,
  'start the next attempt': 'attempt_not_waiting',
  'external: running': 'execution_ended',
  'external: completed': 'execution_ended',
  'external: failed': 'execution_ended',
};

const DEAD: Row = { ...OVER, redrive: [event.redriven(4)], discard: [event.discarded] };

const NEVER_WAS = 'execution_not_found';

/** The decision table, cell by cell. */
export const CELLS: Readonly<Record<StateName, Row>> = {
  absent: {
    ...(Object.fromEntries(Object.keys({ ...OVER }).map((name) => [name, NEVER_WAS])) as Row),
    request: [event.requested()],
  },
  pending: waitingFor(1),
  'pending, released': waitingFor(1),
  'pending, to be retried': waitingFor(2),
  'pending, redriven': waitingFor(4),
  'pending, external': {
    ...waitingFor(1),
    'start the next attempt': 'attempt_not_waiting',
    'expire, unreported': [event.expired],
  },
  running: heldBy(1, retriedAfter(1, 500)),
  'running, last attempt': heldBy(3, {
    lost: [event.attemptLost(3), event.deadLettered(3)],
    timeout: [event.attemptFailed(3, 'timeout'), event.deadLettered(3, 'timeout')],
  }),
  // The budget and the backoff start over; the attempt numbers continue.
  'running, redriven': heldBy(4, retriedAfter(4, 500)),
  'running, external': ELSEWHERE,
  'running, taken over': ELSEWHERE,
  cancelling: {
    ...heldBy(1, {
      lost: [event.cancelled()],
      timeout: [event.cancelled(event.FAILED_RESULT)],
    }),
    ...cancelBy(NOTHING),
    'report success': [event.cancelled(event.aResult())],
    'report exit_code': [event.cancelled(event.FAILED_RESULT)],
    'report cancelled': [event.cancelled(event.FAILED_RESULT)],
    release: [event.cancelled()],
  },
  succeeded: OVER,
  failed: OVER,
  'timed out': OVER,
  cancelled: OVER,
  // A repeated report changes nothing; a different one comes too late.
  reported: { ...OVER, 'external: completed': NOTHING },
  expired: OVER,
  'dead-lettered': DEAD,
  'dead-lettered, timeout': DEAD,
  'dead-lettered, discarded': { ...OVER, redrive: 'dead_letter_discarded', discard: 'dead_letter_discarded' },
};
