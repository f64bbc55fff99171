import { Unavailable } from '../../../src/kernel/errors.js';
import type { StreamVersions } from '../../../src/kernel/ports/stream-versions.js';
import { StreamWatch } from '../../../src/platform/event-store/stream-watch.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { eventually } from '../../support/eventually.js';

class Versions implements StreamVersions {
  readonly versions = new Map<string, number>();
  readonly asked: string[][] = [];
  away = false;

  versionsOf(streamIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    this.asked.push([...streamIds]);
    return this.away ? Promise.reject(new Unavailable('postgres', 'away')) : Promise.resolve(new Map(this.versions));
  }
}

const never = new AbortController().signal;
let versions: Versions;
let listeners: Set<() => void>;
let watch: StreamWatch;

beforeEach(() => {
  versions = new Versions();
  listeners = new Set();
  const onAppend = (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  watch = new StreamWatch(versions, onAppend, silentLog);
});

test('what has happened already is not waited for', async () => {
  versions.versions.set('a', 2);
  await watch.beyond('a', 1, never);
});

test('a notice is enough, and so is none', async () => {
  for (const notice of [true, false]) {
    versions.versions.set('a', 1);
    const seen = watch.beyond('a', 1, never);
    await eventually(() => expect(versions.asked.length).toBeGreaterThan(0));
    versions.versions.set('a', 2);
    if (notice) for (const listener of listeners) listener();
    await seen;
  }
});

test('one question serves all who wait, and none is asked when nobody does', async () => {
  const waits = ['a', 'b', 'b', 'c'].map((id) => watch.beyond(id, 0, never));
  await eventually(() => expect(versions.asked.at(-1)).toEqual(['a', 'b', 'c']));
  for (const id of ['a', 'b', 'c']) versions.versions.set(id, 1);
  await Promise.all(waits);
  await eventually(() => expect(listeners.size).toBe(0));
});

test('an outage is waited out', async () => {
  versions.away = true;
  const seen = watch.beyond('a', 0, never);
  await eventually(() => expect(versions.asked.length).toBeGreaterThan(0));
  versions.versions.set('a', 1);
  versions.away = false;
  await seen;
});

test('who does not want to wait any longer need not', async () => {
  const gone = new AbortController();
  const seen = watch.beyond('a', 0, gone.signal);
  gone.abort();
  await seen;
  await watch.beyond('a', 0, gone.signal);
});
