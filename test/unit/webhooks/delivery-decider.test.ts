import { fold } from '../../../src/event-sourcing/core/decider.js';
import type { DeliveryCommand } from '../../../src/webhooks/domain/delivery-commands.js';
import { deliveryDecider, deliveryIdOf } from '../../../src/webhooks/domain/delivery-decider.js';
import type { DeliveryEvent } from '../../../src/webhooks/domain/delivery-events.js';
import { admin, stranger } from '../../support/builders/people.js';
import * as webhook from '../../support/builders/webhooks.js';
import { given } from '../../support/given.js';

type Cell = readonly DeliveryEvent[] | string;

const STATES = {
  absent: [],
  requested: [webhook.deliveryRequested()],
  'failed once': [webhook.deliveryRequested(), webhook.failed(1)],
  delivered: [webhook.deliveryRequested(), webhook.delivered(1)],
  abandoned: [webhook.deliveryRequested(), webhook.failed(1, 500, null), webhook.abandoned()],
  'requested again': [webhook.deliveryRequested(), webhook.failed(1), webhook.delivered(2), webhook.redelivered],
} as const satisfies Record<string, readonly DeliveryEvent[]>;

const COMMANDS = {
  request: webhook.requestDelivery,
  'success of attempt 1': webhook.recordAttempt(1),
  'success of attempt 2': webhook.recordAttempt(2),
  'failure of attempt 1': webhook.recordAttempt(1, webhook.failure()),
  'failure of attempt 2': webhook.recordAttempt(2, webhook.failure()),
  'success of attempt 3': webhook.recordAttempt(3),
  abandon: webhook.abandonDelivery,
  redeliver: webhook.redeliver(),
  'redeliver, as admin': webhook.redeliver(admin),
  'redeliver, as another user': webhook.redeliver(stranger),
  'redeliver for another webhook': webhook.redeliver(undefined, webhook.OTHER_WEBHOOK_ID),
} as const satisfies Record<string, DeliveryCommand>;
type Row = Readonly<Record<keyof typeof COMMANDS, Cell>>;

const NOTHING: Cell = [];
const ABSENT = 'delivery_not_found';
const REFUSED = { 'redeliver, as another user': 'access_denied', 'redeliver for another webhook': ABSENT } as const;

const pending = (attempts: 0 | 1): Row => ({
  ...REFUSED,
  request: NOTHING,
  'success of attempt 1': attempts === 0 ? [webhook.delivered(1)] : NOTHING,
  'success of attempt 2': attempts === 1 ? [webhook.delivered(2)] : NOTHING,
  'failure of attempt 1': attempts === 0 ? [webhook.failed(1)] : NOTHING,
  'failure of attempt 2': attempts === 1 ? [webhook.failed(2)] : NOTHING,
  'success of attempt 3': NOTHING,
  abandon: [webhook.abandoned('disabled')],
  redeliver: 'delivery_pending',
  'redeliver, as admin': 'delivery_pending',
});

/** Whoever still reports an attempt was too late. */
const ended: Row = {
  ...REFUSED,
  request: NOTHING,
  'success of attempt 1': NOTHING,
  'success of attempt 2': NOTHING,
  'failure of attempt 1': NOTHING,
  'failure of attempt 2': NOTHING,
  'success of attempt 3': NOTHING,
  abandon: NOTHING,
  redeliver: [webhook.redelivered],
  'redeliver, as admin': [webhook.redelivered],
};

const TABLE: Readonly<Record<keyof typeof STATES, Row>> = {
  absent: {
    request: [webhook.deliveryRequested()],
    'success of attempt 1': ABSENT,
    'success of attempt 2': ABSENT,
    'failure of attempt 1': ABSENT,
    'failure of attempt 2': ABSENT,
    'success of attempt 3': ABSENT,
    abandon: ABSENT,
    redeliver: ABSENT,
    'redeliver, as admin': ABSENT,
    'redeliver, as another user': ABSENT,
    'redeliver for another webhook': ABSENT,
  },
  requested: pending(0),
  'failed once': pending(1),
  delivered: ended,
  abandoned: ended,
  'requested again': pending(0),
};

const CELLS = Object.entries(TABLE).flatMap(([state, row]) =>
  Object.entries(row).map(([command, cell]) => [state, command, cell] as const),
);

test.each(CELLS)('%s: %s', (state, command, cell) => {
  const decision = given(deliveryDecider, ...STATES[state as keyof typeof STATES]).when(
    COMMANDS[command as keyof typeof COMMANDS],
  );
  if (typeof cell === 'string') decision.thenRefused(cell);
  else if (cell.length === 0) decision.thenNothing();
  else decision.then(cell[0]!, ...cell.slice(1));
});

test('the last failure abandons the delivery', () => {
  const last = webhook.recordAttempt(2, webhook.failure(null, null));
  given(deliveryDecider, webhook.deliveryRequested(), webhook.failed(1))
    .when(last)
    .then(webhook.failed(2, null, null), webhook.abandoned('attempts'));
});

test('410 abandons it as gone', () => {
  given(deliveryDecider, webhook.deliveryRequested())
    .when(webhook.recordAttempt(1, webhook.failure(410, null)))
    .then(webhook.failed(1, 410, null), webhook.abandoned('gone'));
});

test('the delivery of an execution’s own webhook', () => {
  const own = webhook.deliveryRequested({ webhook_id: null, endpoint: 'c2VhbGVk' });
  given(deliveryDecider, own)
    .when(webhook.recordAttempt(1))
    .then({ ...webhook.delivered(1), data: { ...webhook.delivered(1).data, webhook_id: null } });
  // Nobody has such a webhook.
  given(deliveryDecider, own).when(webhook.redeliver()).thenRefused(ABSENT);
});

test('the id of a delivery depends on its webhook and its event only', () => {
  const id = deliveryIdOf(webhook.WEBHOOK_ID, webhook.EVENT_ID);
  expect(deliveryIdOf(webhook.WEBHOOK_ID, webhook.EVENT_ID)).toBe(id);
  expect(deliveryIdOf(webhook.OTHER_WEBHOOK_ID, webhook.EVENT_ID)).not.toBe(id);
  expect(deliveryIdOf(webhook.WEBHOOK_ID, webhook.SOURCE_ID)).not.toBe(id);
});

test('what happens to a delivery that was never requested is a bug', () => {
  expect(() => fold(deliveryDecider, deliveryDecider.initialState, [webhook.delivered()])).toThrow('never requested');
});
