import type { RecordedEvent } from '../../../src/event-sourcing/core/event.js';
import { portionsOf } from '../../../src/event-sourcing/core/stream-portions.js';
import { HISTORY_BYTES_MAX, HISTORY_PORTION_EVENTS, historyPage } from '../../../src/http/listing/history.js';
import { TASK_STREAM } from '../../support/builders/recorded.js';

const EVENT_BYTES = 60_000;

function aStream(length: number, bytesEach: number) {
  const events = Array.from({ length }, (_, index) => ({
    type: 'Happened',
    version: index + 1,
    position: BigInt(index + 1),
    recordedAt: new Date(0),
    metadata: { actor: 'test' },
    data: { text: 'x'.repeat(bytesEach) },
  })) as unknown as RecordedEvent[];
  const store = {
    readStream: async (_stream: unknown, { afterVersion = 0, limit = 0 } = {}) =>
      events.slice(afterVersion, afterVersion + limit),
  } as Parameters<typeof portionsOf>[0];
  return ({ after_version: afterVersion, limit }: { after_version: number; limit: number }) =>
    historyPage(
      portionsOf(store, TASK_STREAM, { afterVersion, limit: limit + 1, portionEvents: HISTORY_PORTION_EVENTS }),
      { limit },
    );
}
const versionsOf = ({ events }: { events: readonly { version: number }[] }) => events.map(({ version }) => version);

test('a page has the requested entries, and says whether there are more', async () => {
  const read = aStream(230, 1);
  expect(versionsOf(await read({ after_version: 20, limit: 120 }))).toEqual(
    Array.from({ length: 120 }, (_, index) => 21 + index),
  );
  expect(await read({ after_version: 0, limit: 229 })).toMatchObject({ has_more: true });
  expect(await read({ after_version: 0, limit: 230 })).toMatchObject({ has_more: false });
  expect(await read({ after_version: 230, limit: 230 })).toEqual({ events: [], has_more: false });
});

test('a page of large events ends when it is full, and the next one continues there', async () => {
  const read = aStream(100, EVENT_BYTES);
  const seen: number[] = [];
  let answer;
  do {
    answer = await read({ after_version: seen.length, limit: 1_000 });
    expect(JSON.stringify(answer.events).length).toBeLessThan(HISTORY_BYTES_MAX);
    seen.push(...versionsOf(answer));
  } while (answer.has_more);
  expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
});

test('an event larger than a page is a page of its own', async () => {
  const answer = await aStream(2, HISTORY_BYTES_MAX)({ after_version: 0, limit: 10 });
  expect([versionsOf(answer), answer.has_more]).toEqual([[1], true]);
});
