import type { RecordedEvent } from '../../../src/event-sourcing/core/event.js';
import { StreamWatch } from '../../../src/event-sourcing/event-store/stream-watch.js';
import { Unavailable } from '../../../src/kernel/errors.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { EventFollower } from '../../../src/tasks/queries/event-follower.js';
import * as event from '../../support/builders/executions.js';
import { EXECUTION_STREAM } from '../../support/builders/recorded.js';
import { EXECUTION_ID } from '../../support/builders/tasks.js';
import { lifecycleCatalog } from '../../support/lifecycle.js';
import { StagedEventStore, StagedStreamVersions } from '../../support/staged-event-store.js';

const NEVER_QUIET_MS = 3_600_000;

let store: StagedEventStore;
let follower: EventFollower;
let appended: () => void;
let gone: AbortController;

beforeEach(() => {
  store = new StagedEventStore(lifecycleCatalog);
  gone = new AbortController();
  const listen = (listener: () => void) => {
    appended = listener;
    return () => undefined;
  };
  follower = new EventFollower(store, new StreamWatch(new StagedStreamVersions(store), listen, silentLog));
});
afterEach(() => gone.abort());

const follow = (afterVersion = 0, quietMs = NEVER_QUIET_MS) =>
  follower.follow(EXECUTION_ID, afterVersion, quietMs, gone.signal);
const add = async (...events: Parameters<StagedEventStore['add']>[1][]) => {
  await store.add(EXECUTION_STREAM, ...events);
  appended?.();
};
const typeOf = async (events: AsyncGenerator<RecordedEvent | null>): Promise<string | null | undefined> => {
  const { value, done } = await events.next();
  return done ? undefined : value && value.type;
};

test('past events come first, then new ones, to the end of the execution', async () => {
  await add(event.requested());
  const events = follow();
  expect(await typeOf(events)).toBe('ExecutionRequested');
  const next = typeOf(events);
  await add(event.started(), event.attemptLost(), event.retryScheduled(2, 0));
  expect([await next, await typeOf(events), await typeOf(events)]).toEqual([
    'ExecutionAttemptStarted',
    'ExecutionAttemptFailed',
    'ExecutionRetryScheduled',
  ]);
  await add(event.started(2), event.succeeded(2));
  expect([await typeOf(events), await typeOf(events), await typeOf(events)]).toEqual([
    'ExecutionAttemptStarted',
    'ExecutionSucceeded',
    undefined,
  ]);
});

test('only events newer than the client’s are sent', async () => {
  await add(event.requested(), event.started(), event.succeeded());
  const events = follow(2);
  expect([await typeOf(events), await typeOf(events)]).toEqual(['ExecutionSucceeded', undefined]);
});

test('the lease token is not shown', async () => {
  await add(event.requested(), event.started());
  const { value } = await follow(1).next();
  expect(JSON.stringify((value as RecordedEvent).data)).not.toContain('token');
});

test('a heartbeat is sent repeatedly while nothing happens', async () => {
  await add(event.requested());
  const events = follow(1, 1);
  expect([await typeOf(events), await typeOf(events)]).toEqual([null, null]);
});

test('an abort ends the stream without an error', async () => {
  await add(event.requested());
  const events = follow(1);
  const next = typeOf(events);
  gone.abort(new Unavailable('server', 'shutting down'));
  expect(await next).toBeUndefined();
});

test('the stream continues after an outage', async () => {
  await add(event.requested());
  const { readStream } = store;
  store.readStream = () => {
    store.readStream = readStream;
    return Promise.reject(new Unavailable('postgres', 'away'));
  };
  expect(await typeOf(follow())).toBe('ExecutionRequested');
});
