import { EVENT_BYTES_MAX } from '../../../src/event-sourcing/core/event-store.js';
import { newId } from '../../../src/kernel/uuid.js';
import type { BatchCommand } from '../../../src/tasks/domain/batch-commands.js';
import { batchDecider } from '../../../src/tasks/domain/batch-decider.js';
import {
  BatchCancellationRequested,
  BatchCancelled,
  type BatchEvent,
  batchEvents,
  BatchStartsCompleted,
  RERUNS_MAX,
} from '../../../src/tasks/domain/batch-events.js';
import * as batch from '../../support/builders/batches.js';
import { admin, stranger } from '../../support/builders/people.js';
import { given } from '../../support/given.js';

const COMMANDS = {
  record: batch.recordBatch(),
  'create a rerun': batch.createRerunBatch(),
  'refuse items': batch.refuseItems(0, 1),
  'complete the starts': batch.completeStarts(),
  cancel: batch.cancelBatch(),
  'cancel, as admin': batch.cancelBatch(admin),
  'cancel, as another user': batch.cancelBatch(stranger),
  'complete the cancellation': batch.completeCancellation(),
} as const satisfies Record<string, BatchCommand>;
type Row = Readonly<Record<keyof typeof COMMANDS, readonly BatchEvent[] | string>>;

const cancelled = [BatchCancellationRequested({})];
const nothing: Row = {
  record: [],
  'create a rerun': [],
  'refuse items': [],
  'complete the starts': [],
  cancel: [],
  'cancel, as admin': [],
  'cancel, as another user': 'access_denied',
  'complete the cancellation': [],
};

const TABLE: Readonly<Record<string, { history: readonly BatchEvent[]; row: Row }>> = {
  absent: {
    history: [],
    row: {
      record: [batch.batchCreated()],
      'create a rerun': [batch.rerunBatchCreated()],
      'refuse items': 'batch_not_found',
      'complete the starts': 'batch_not_found',
      cancel: 'batch_not_found',
      'cancel, as admin': 'batch_not_found',
      'cancel, as another user': 'batch_not_found',
      'complete the cancellation': 'batch_not_found',
    },
  },
  'of new tasks': {
    history: [batch.batchCreated()],
    row: { ...nothing, 'refuse items': [batch.itemsRefused(0, 1)], cancel: cancelled, 'cancel, as admin': cancelled },
  },
  'of reruns, starting': {
    history: [batch.rerunBatchCreated()],
    row: {
      ...nothing,
      'refuse items': [batch.itemsRefused(0, 1)],
      'complete the starts': [BatchStartsCompleted({})],
      cancel: cancelled,
      'cancel, as admin': cancelled,
    },
  },
  'of reruns, one of which was refused': {
    history: [batch.rerunBatchCreated(), batch.itemsRefused(1)],
    row: {
      ...nothing,
      'refuse items': [batch.itemsRefused(0)],
      'complete the starts': [BatchStartsCompleted({})],
      cancel: cancelled,
      'cancel, as admin': cancelled,
    },
  },
  'of reruns, all refused': {
    history: [batch.rerunBatchCreated(), batch.itemsRefused(0, 1), BatchStartsCompleted({})],
    row: { ...nothing, cancel: cancelled, 'cancel, as admin': cancelled },
  },
  cancelling: {
    history: [batch.rerunBatchCreated(), BatchCancellationRequested({})],
    row: { ...nothing, 'complete the cancellation': [BatchCancelled({})] },
  },
  cancelled: {
    history: [batch.rerunBatchCreated(), BatchCancellationRequested({}), BatchCancelled({})],
    row: nothing,
  },
};

describe.each(Object.entries(TABLE))('a batch, %s', (_, { history, row }) => {
  test.each(Object.entries(row))('%s', (name, expected) => {
    const decision = given(batchDecider, ...history).when(COMMANDS[name as keyof typeof COMMANDS]);
    if (typeof expected === 'string') decision.thenRefused(expected);
    else if (expected.length === 0) decision.thenNothing();
    else decision.then(expected[0]!, ...expected.slice(1));
  });
});

test('the table contains every event', () => {
  const decided = Object.values(TABLE).flatMap(({ row }) => Object.values(row).flat());
  const types = decided.flatMap((event) => (typeof event === 'string' ? [] : [event.type]));
  expect([...new Set(types)].sort()).toEqual(Object.keys(batchEvents).sort());
});

test('the largest batch of reruns fits an event', () => {
  const event = batch.rerunBatchCreated(Array.from({ length: RERUNS_MAX }, newId));
  expect(Buffer.byteLength(JSON.stringify(event.data))).toBeLessThan(EVENT_BYTES_MAX * 0.7);
});
