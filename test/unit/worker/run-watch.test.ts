import { Unavailable } from '../../../src/kernel/errors.js';
import type { ExecutionEvent } from '../../../src/tasks/domain/execution-events.js';
import { RunWatch, type WatchedRun } from '../../../src/worker/run-watch.js';
import { leaseOf } from '../../support/builders/execution-commands.js';
import * as event from '../../support/builders/executions.js';
import { EXECUTION_STREAM } from '../../support/builders/recorded.js';
import { lifecycleCatalog } from '../../support/lifecycle.js';
import { StagedEventStore, StagedStreamVersions } from '../../support/staged-event-store.js';

let store: StagedEventStore;
let watch: RunWatch;
let told: string[];

beforeEach(() => {
  store = new StagedEventStore(lifecycleCatalog);
  watch = new RunWatch(store, new StagedStreamVersions(store));
  told = [];
});

const watched = (lease = leaseOf(1)): WatchedRun => ({
  lease,
  seenVersion: 0,
  stop: (reason) => void told.push(reason),
});

test.each<[string, ExecutionEvent[], string[]]>([
  ['is running', [event.requested(), event.started()], []],
  ['has not been started yet', [event.requested()], []],
  [
    'has not been started yet, at its second attempt',
    [event.requested(), event.started(), event.attemptReleased()],
    [],
  ],
  ['has a cancel requested', [event.requested(), event.started(), event.cancellationRequested()], ['cancel']],
  ['was lost', [event.requested(), event.started(), event.attemptLost(), event.retryScheduled(2, 0)], ['lost']],
  ['was cancelled before its start', [event.requested(), event.cancelled()], ['lost']],
  ['was taken over', [event.requested(), event.startedElsewhere()], ['lost']],
  ['has ended', [event.requested(), event.started(), event.succeeded()], ['lost']],
  ['does not exist', [], []],
])('a run that %s', async (_, history, reasons) => {
  if (history.length > 0) await store.add(EXECUTION_STREAM, ...history);
  await watch.check([watched()]);
  expect(told).toEqual(reasons);
});

test('a run whose attempt another worker holds is lost', async () => {
  await store.add(EXECUTION_STREAM, event.requested(), event.started());
  await watch.check([watched(leaseOf(1, 'another token'))]);
  expect(told).toEqual(['lost']);
});

test('a stream is read again only after it has changed', async () => {
  await store.add(EXECUTION_STREAM, event.requested(), event.started());
  const run = watched();
  let reads = 0;
  const readStream = store.readStream.bind(store);
  store.readStream = (...args) => ((reads += 1), readStream(...args));
  await watch.check([run]);
  await watch.check([run]);
  expect(reads).toBe(1);
  await store.add(EXECUTION_STREAM, event.cancellationRequested());
  await watch.check([run]);
  await watch.check([run]);
  expect(reads).toBe(2);
  expect(told).toEqual(['cancel']);
});

test('an outage of Postgres stops nothing', async () => {
  await store.add(EXECUTION_STREAM, event.requested(), event.started(), event.cancellationRequested());
  store.before = () => {
    throw new Unavailable('postgres', 'away');
  };
  await watch.check([watched()]);
  expect(told).toEqual([]);
  store.before = () => undefined;
  await watch.check([watched()]);
  expect(told).toEqual(['cancel']);
});

test('a bug is thrown', async () => {
  await store.add(EXECUTION_STREAM, event.requested());
  store.before = () => {
    throw new TypeError('a bug');
  };
  await expect(watch.check([watched()])).rejects.toThrow('a bug');
});

test('without runs there is no query', async () => {
  store.before = () => {
    throw new Unavailable('postgres', 'away');
  };
  await watch.check([]);
});
