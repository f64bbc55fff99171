import { DECISION_ATTEMPTS_MAX } from '../../../src/event-sourcing/core/decision-runner.js';
import { SNAPSHOT_EVERY_EVENTS } from '../../../src/event-sourcing/core/decision-session.js';
import type { StreamRef } from '../../../src/event-sourcing/core/event.js';
import { Unavailable, VersionConflict } from '../../../src/kernel/errors.js';
import { afterThisTurn } from '../../../src/platform/async/delay.js';
import { metadata } from '../../support/builders/people.js';
import { Added, aStream, counter, LIMIT, readsOf, setUp } from '../../support/counter-decisions.js';
import type { StagedEventStore } from '../../support/staged-event-store.js';

describe('one stream', () => {
  test('is read, decided on and appended to', async () => {
    const { store, add } = setUp();
    const stream = aStream();
    expect(await add(stream, 1)).toEqual({ result: 1, position: 1n });
    expect(await add(stream, 2)).toEqual({ result: 3, position: 2n });
    expect(await store.eventsOf(stream)).toEqual([Added({ amount: 1 }), Added({ amount: 2 })]);
  });

  test('stays unchanged if the decision has no events', async () => {
    const { store, add } = setUp();
    expect(await add(aStream(), 0)).toEqual({ result: 0, position: null });
    expect((await store.head()).position).toBe(0n);
  });

  test('stays unchanged after a refusal', async () => {
    const { store, add } = setUp();
    await expect(add(aStream(), LIMIT + 1)).rejects.toMatchObject({ code: 'full' });
    expect((await store.head()).position).toBe(0n);
  });

  test('stays unchanged if an event does not fit its own schema: it could never be read', async () => {
    const { store, add } = setUp();
    await expect(add(aStream(), 0.5)).rejects.toThrow('amount');
    expect((await store.head()).position).toBe(0n);
  });

  test('is written with the given metadata and the newest schema version', async () => {
    const { store, add } = setUp();
    const stream = aStream();
    await add(stream, 1);
    expect(await store.readStream(stream)).toMatchObject([{ version: 1, metadata, type: 'Added' }]);
  });
});

describe('a version conflict', () => {
  /** Another process appends first, that many times. */
  const othersFirst = (store: StagedEventStore, stream: StreamRef, times: number): void => {
    let left = times;
    store.before = async (call) => {
      if (call !== 'append' || left === 0) return;
      left -= 1;
      const { before } = store;
      store.before = () => undefined;
      await store.add(stream, Added({ amount: 100 }));
      store.before = before;
    };
  };

  test('causes a new decision on the current state', async () => {
    const { store, add } = setUp();
    const stream = aStream();
    othersFirst(store, stream, 1);
    expect(await add(stream, 1)).toEqual({ result: 101, position: 2n });
  });

  test('may turn a decision into a refusal', async () => {
    const { store, add } = setUp();
    const stream = aStream();
    othersFirst(store, stream, 1);
    await expect(add(stream, LIMIT)).rejects.toMatchObject({ code: 'full' });
    expect(await store.eventsOf(stream)).toEqual([Added({ amount: 100 })]);
  });

  test('is retried up to the limit of attempts', async () => {
    const { store, add } = setUp();
    const stream = aStream();
    othersFirst(store, stream, DECISION_ATTEMPTS_MAX - 1);
    expect(await add(stream, 1)).toEqual({ result: (DECISION_ATTEMPTS_MAX - 1) * 100 + 1, position: 8n });
  });

  test('is an outage once no attempt is left', async () => {
    const { store, add } = setUp();
    const stream = aStream();
    othersFirst(store, stream, DECISION_ATTEMPTS_MAX);
    await expect(add(stream, 1)).rejects.toThrow(Unavailable);
    expect(store.versionOf(stream.id)).toBe(DECISION_ATTEMPTS_MAX);
  });

  test('occurs at most a few times, however many decide on one stream at once', async () => {
    const { store, add } = setUp();
    const stream = aStream();
    await Promise.all(Array.from({ length: 50 }, () => add(stream, 1)));
    expect(await store.eventsOf(stream)).toHaveLength(50);
  });

  test('is not caused again by later callers', async () => {
    const { store, add } = setUp();
    const stream = aStream();
    let attempts = 0;
    let newcomer: ReturnType<typeof add> | undefined;
    store.before = async (call) => {
      if (call !== 'append') return;
      attempts += 1;
      if (attempts === 1) throw new VersionConflict(stream.id, 0, 1);
      newcomer ??= add(stream, 10);
      await afterThisTurn();
    };
    expect(await add(stream, 1)).toEqual({ result: 1, position: 1n });
    expect(await newcomer).toEqual({ result: 11, position: 2n });
    expect(attempts).toBe(3);
  });

  test('is the only error that is retried', async () => {
    const { store, add } = setUp();
    let appends = 0;
    store.before = (call) => {
      if (call !== 'append') return;
      appends += 1;
      throw new Unavailable('event-store', 'away');
    };
    await expect(add(aStream(), 1)).rejects.toThrow('away');
    expect(appends).toBe(1);
  });
});

describe('several streams', () => {
  const move = ({ runner }: ReturnType<typeof setUp>, from: StreamRef, to: StreamRef, amount: number) =>
    runner.run(metadata, async (streams) => {
      const [source, target] = await Promise.all([streams.load(from, counter), streams.load(to, counter)]);
      source.record(counter.decide(-amount, source.state));
      target.record(counter.decide(amount, target.state));
    });

  test('are appended to at once', async () => {
    const all = setUp();
    const [from, to] = [aStream(), aStream()];
    expect(await move(all, from, to, 5)).toEqual({ result: undefined, position: 2n });
    expect(await all.store.eventsOf(from)).toEqual([Added({ amount: -5 })]);
    expect(await all.store.eventsOf(to)).toEqual([Added({ amount: 5 })]);
  });

  test('stay unchanged if one of them refuses', async () => {
    const all = setUp();
    const [from, to] = [aStream(), aStream()];
    await expect(move(all, from, to, LIMIT + 1)).rejects.toMatchObject({ code: 'full' });
    expect((await all.store.head()).position).toBe(0n);
  });

  test('conflict only where events are written, not where a stream was only read', async () => {
    const { store, runner } = setUp();
    const [seen, written] = [aStream(), aStream()];
    await runner.run(metadata, async (streams) => {
      await streams.load(seen, counter);
      if (store.versionOf(seen.id) === 0) await store.add(seen, Added({ amount: 1 }));
      (await streams.load(written, counter)).record([Added({ amount: 2 })]);
    });
    expect(await store.eventsOf(written)).toEqual([Added({ amount: 2 })]);
  });

  test('are decided on again together', async () => {
    const all = setUp();
    const [from, to] = [aStream(), aStream()];
    let conflicts = 1;
    all.store.before = (call) => {
      if (call !== 'append' || conflicts === 0) return;
      conflicts -= 1;
      throw new VersionConflict(to.id, 0, 1);
    };
    await move(all, from, to, 5);
    expect(await all.store.eventsOf(from)).toEqual([Added({ amount: -5 })]);
  });
});

describe('snapshots', () => {
  const long = { ...counter, reducerVersion: 1 };
  const ones = (count: number) => Array.from({ length: count }, () => Added({ amount: 1 }));

  test('are taken of a stream that has grown by enough events, and read instead of them', async () => {
    const { store, snapshots, add } = setUp();
    const stream = aStream();
    await store.add(stream, ...ones(SNAPSHOT_EVERY_EVENTS));
    await add(stream, 1, long);
    expect(await snapshots.load(stream, 1)).toEqual({ version: 200, state: { total: 200 } });

    const reads = readsOf(store);
    expect(await setUp({ store, snapshots }).add(stream, 1, long)).toEqual({ result: 202, position: 202n });
    expect(reads).toEqual([[stream, { afterVersion: 200 }]]);
    expect(await snapshots.load(stream, 1)).toMatchObject({ version: 200 });
  });

  test('are also taken of a stream whose state is remembered', async () => {
    const { snapshots, add } = setUp();
    const stream = aStream();
    for (let count = 0; count <= SNAPSHOT_EVERY_EVENTS; count += 1) await add(stream, 1, long);
    expect(await snapshots.load(stream, 1)).toEqual({ version: 200, state: { total: 200 } });
  });

  test('are not taken of a shorter stream', async () => {
    const { store, snapshots, add } = setUp();
    const stream = aStream();
    await store.add(stream, ...ones(SNAPSHOT_EVERY_EVENTS - 1));
    await add(stream, 1, long);
    expect(await snapshots.load(stream, 1)).toBeNull();
  });

  test('are not taken if the aggregate does not request them', async () => {
    const { store, snapshots, add } = setUp();
    const stream = aStream();
    await store.add(stream, ...ones(2 * SNAPSHOT_EVERY_EVENTS));
    await add(stream, 1);
    expect(snapshots.size).toBe(0);
  });

  test('of another reducer version are ignored', async () => {
    const { store, snapshots, add } = setUp();
    const stream = aStream();
    await store.add(stream, ...ones(3));
    await snapshots.save(stream, 1, { version: 3, state: { total: 999 } });
    expect(await add(stream, 1, { ...counter, reducerVersion: 2 })).toMatchObject({ result: 4 });
  });
});
