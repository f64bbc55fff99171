import type { StreamVersions } from '../../../src/kernel/ports/stream-versions.js';
import { StreamWatch } from '../../../src/platform/event-store/stream-watch.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { eventually } from '../../support/eventually.js';

class Versions implements StreamVersions {
  readonly versions = new Map<string, number>();
  readonly asked: string[][] = [];

  versionsOf(streamIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    this.asked.push([...streamIds]);
    return Promise.resolve(new Map(this.versions));
  }
}

const never = new AbortController().signal;
let versions: Versions;
let notice: () => void;
let watch: StreamWatch;

beforeEach(() => {
  versions = new Versions();
  watch = new StreamWatch(versions, (listener) => (notice = listener), silentLog);
});

test('what has happened already is not waited for', async () => {
  versions.versions.set('a', 2);
  expect(await watch.beyond('a', 1, never)).toBe(true);
});

test('a notice is enough, and so is none', async () => {
  for (const noticed of [true, false]) {
    versions.versions.set('a', 1);
    const seen = watch.beyond('a', 1, never);
    await eventually(() => expect(versions.asked.length).toBeGreaterThan(0));
    versions.versions.set('a', 2);
    if (noticed) notice();
    expect(await seen).toBe(true);
  }
});

test('a stream that many wait for is asked for once, and each is told at their version', async () => {
  const waits = ['a', 'b', 'b'].map((id, index) => watch.beyond(id, index, never));
  await eventually(() => expect(versions.asked.at(-1)).toEqual(['a', 'b']));
  versions.versions.set('a', 1).set('b', 2);
  notice();
  await Promise.all(waits.slice(0, 2));
  await eventually(() => expect(versions.asked.at(-1)).toEqual(['b']));
  versions.versions.set('b', 3);
  expect(await waits[2]).toBe(true);
});

test('who does not want to wait any longer need not', async () => {
  const gone = new AbortController();
  const seen = watch.beyond('a', 0, gone.signal);
  gone.abort();
  expect(await seen).toBe(false);
});
