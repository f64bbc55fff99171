import type { RecordedEvent } from '../../../src/event-sourcing/core/event.js';
import { Unavailable } from '../../../src/kernel/errors.js';
import { DeadLetterNotices, DeadLetters } from '../../../src/orchestrator/dead-letter-notices.js';
import * as event from '../../support/builders/executions.js';
import { recorded, recordedAtOf, EXECUTION_STREAM, TASK_STREAM } from '../../support/builders/recorded.js';
import { EXECUTION_ID, taskCreated } from '../../support/builders/tasks.js';

class DeadLetterList extends DeadLetters {
  readonly published: unknown[][] = [];

  publish(...letter: unknown[]): Promise<void> {
    this.published.push(letter);
    return Promise.resolve();
  }
}

function setUp() {
  const letters = new DeadLetterList();
  const notices = new DeadLetterNotices(letters);
  const act = (events: readonly RecordedEvent[], signal = new AbortController().signal) =>
    notices.runEffects(
      events.filter((each) => notices.concerns(each)).map((each) => ({ event: each, traceparent: undefined })),
      signal,
    );
  return { letters, act };
}

const died = recorded(EXECUTION_STREAM, [
  event.requested(),
  event.started(),
  event.attemptLost(),
  event.deadLettered(1),
]);

test('a dead letter is published, under an id derived from its event', async () => {
  const { letters, act } = setUp();
  await act(died);
  await act(died);
  const letter = [
    'execution',
    died[3]!.eventId,
    {
      stream: `execution-${EXECUTION_ID}`,
      type: 'ExecutionDeadLettered',
      data: { attempt: 1, reason: 'infrastructure' },
      position: '4',
      recorded_at: new Date(recordedAtOf(4)),
    },
  ];
  expect(letters.published).toEqual([letter, letter]);
});

test('other events are ignored', async () => {
  const { letters, act } = setUp();
  await act([...recorded(TASK_STREAM, [taskCreated()]), ...died.slice(0, 3)]);
  expect(letters.published).toEqual([]);
});

test('an outage is thrown, so that the dead letter is delivered again', async () => {
  const { letters, act } = setUp();
  letters.publish = () => Promise.reject(new Unavailable('nats', 'away'));
  await expect(act(died)).rejects.toThrow(Unavailable);
});

test('a leader that has lost its lead publishes nothing more', async () => {
  const { letters, act } = setUp();
  await expect(act(died, AbortSignal.abort(new Error('somebody else leads')))).rejects.toThrow('somebody else leads');
  expect(letters.published).toEqual([]);
});
