import type { DomainEvent } from '../../../src/event-sourcing/core/event.js';
import { StreamWatch } from '../../../src/event-sourcing/event-store/stream-watch.js';
import { Unavailable } from '../../../src/kernel/errors.js';
import { newId } from '../../../src/kernel/uuid.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { requested } from '../../support/builders/executions.js';
import { eventually } from '../../support/eventually.js';
import { lifecycleCatalog } from '../../support/lifecycle.js';
import { StagedEventStore, StagedStreamVersions } from '../../support/staged-event-store.js';

/** Counts the queries. */
class Versions extends StagedStreamVersions {
  readonly asked: string[][] = [];
  looks = 0;

  override versionsOf(streamIds: readonly string[]) {
    if (streamIds.length > 0) this.asked.push([...streamIds]);
    return super.versionsOf(streamIds);
  }

  override advanceSince(position: bigint | null) {
    this.looks += 1;
    return super.advanceSince(position);
  }
}

const never = new AbortController().signal;
const [A, B] = [newId(), newId()];
const EVENT: DomainEvent = requested();
let store: StagedEventStore;
let versions: Versions;
let notice: () => void;
let watch: StreamWatch;

beforeEach(() => {
  store = new StagedEventStore(lifecycleCatalog);
  versions = new Versions(store);
  watch = new StreamWatch(versions, (listener) => (notice = listener), silentLog);
});

const add = (id: string, events = 1) =>
  store.add({ type: 'execution', id }, ...Array.from({ length: events }, () => EVENT));
const looked = () => {
  const before = versions.looks;
  return eventually(() => expect(versions.looks).toBeGreaterThan(before));
};

test('an event that has already happened needs no wait', async () => {
  await add(A, 2);
  expect(await watch.beyond(A, 1, never)).toBe(true);
});

test('a wait ends with a notification, and without one', async () => {
  for (const [index, noticed] of [true, false].entries()) {
    const seen = watch.beyond(A, index, never);
    await looked();
    await add(A);
    if (noticed) notice();
    expect(await seen).toBe(true);
  }
});

test('each caller is called at its version, and a stream is queried once', async () => {
  const waits = [watch.beyond(A, 0, never), watch.beyond(B, 1, never), watch.beyond(B, 2, never)];
  await eventually(() => expect(versions.asked).toEqual([[A], [B]]));
  await add(A);
  await add(B, 2);
  notice();
  await Promise.all(waits.slice(0, 2));
  await add(B);
  expect(await waits[2]).toBe(true);
  expect(versions.asked).toEqual([[A], [B]]);
});

test('a caller who joins later is included in the query, and misses no append', async () => {
  const first = watch.beyond(A, 0, never);
  await looked();
  await add(B);
  const second = watch.beyond(B, 0, never);
  expect(await second).toBe(true);
  const third = watch.beyond(B, 1, never);
  store.before = async () => {
    store.before = () => undefined;
    await add(B);
  };
  expect(await third).toBe(true);
  await add(A);
  expect(await first).toBe(true);
});

test('after an outage every stream is queried again', async () => {
  const seen = watch.beyond(A, 0, never);
  await looked();
  store.before = () => {
    store.before = () => undefined;
    throw new Unavailable('postgres', 'away');
  };
  notice();
  await eventually(() => expect(versions.asked).toEqual([[A], [A]]));
  await add(A);
  expect(await seen).toBe(true);
});

test('a wait can be aborted', async () => {
  const gone = new AbortController();
  const seen = watch.beyond(A, 0, gone.signal);
  gone.abort();
  expect(await seen).toBe(false);
});
