import { type Streams } from '../../../src/event-sourcing/core/decision-session.js';
import type { StreamRef } from '../../../src/event-sourcing/core/event.js';
import { metadata } from '../../support/builders/people.js';
import { Added, aStream, counter, LIMIT, readsOf, setUp } from '../../support/counter-decisions.js';

describe('a stream that was decided on before', () => {
  test('is not read again', async () => {
    const { store, add } = setUp();
    const stream = aStream();
    await add(stream, 1);
    const reads = readsOf(store);
    expect(await add(stream, 2)).toEqual({ result: 3, position: 2n });
    expect(reads).toEqual([]);
  });

  test('is decided on in its current state after another process changed it', async () => {
    const { store, add } = setUp();
    const stream = aStream();
    await add(stream, 1);
    await store.add(stream, Added({ amount: 100 }));
    expect(await add(stream, 1)).toEqual({ result: 102, position: 3n });
  });

  test('is read before the append once another process was seen to change it', async () => {
    const { store, add } = setUp();
    const stream = aStream();
    await add(stream, 1);
    await store.add(stream, Added({ amount: 1 }));
    await add(stream, 1);
    await store.add(stream, Added({ amount: 1 }));
    let appends = 0;
    store.before = (call) => {
      if (call === 'append') appends += 1;
    };
    const reads = readsOf(store);
    expect(await add(stream, 1)).toEqual({ result: 5, position: 5n });
    expect(appends).toBe(1);
    expect(reads).toEqual([[stream, { afterVersion: 3 }]]);
  });

  test('gives no outdated refusal', async () => {
    const { store, add } = setUp();
    const stream = aStream();
    await add(stream, LIMIT);
    await store.add(stream, Added({ amount: -LIMIT }));
    expect(await add(stream, 1)).toEqual({ result: 1, position: 3n });
  });

  test('is read if nothing will be appended', async () => {
    const { store, add } = setUp();
    const stream = aStream();
    await add(stream, 1);
    await store.add(stream, Added({ amount: 1 }));
    expect(await add(stream, 0)).toEqual({ result: 2, position: null });
  });

  test('is read if it is only read from', async () => {
    const { store, runner, add } = setUp();
    const [seen, written] = [aStream(), aStream()];
    await add(seen, 1);
    await add(written, 1);
    await store.add(seen, Added({ amount: 1 }));
    const copy = async (streams: Streams) => {
      const { total } = (await streams.load(seen, counter)).state;
      (await streams.load(written, counter)).record([Added({ amount: total })]);
    };
    await runner.run(metadata, copy);
    expect(await store.eventsOf(written)).toEqual([Added({ amount: 1 }), Added({ amount: 2 })]);
  });

  test('is read again if the log may have been restored', async () => {
    const { store, runner, add } = setUp();
    const stream = aStream();
    await add(stream, LIMIT);
    store.log.pop();
    runner.forget();
    expect(await add(stream, 1)).toEqual({ result: 1, position: 1n });
  });

  test('is remembered again once no other process changes it any more', async () => {
    const { store, add } = setUp();
    const stream = aStream();
    await add(stream, 1);
    await store.add(stream, Added({ amount: 1 }));
    await add(stream, 1);
    await add(stream, 1);
    const reads = readsOf(store);
    expect(await add(stream, 1)).toEqual({ result: 5, position: 5n });
    expect(reads).toEqual([]);
  });

  test('is forgotten if the log turns out to be older than the remembered state', async () => {
    const { store, add } = setUp();
    const stream = aStream();
    await add(stream, 1);
    await add(stream, 1);
    store.log.pop();
    expect(await add(stream, 1)).toEqual({ result: 2, position: 2n });
  });
});

describe('a new stream', () => {
  const begin = ({ runner }: ReturnType<typeof setUp>, stream: StreamRef) =>
    runner.run(metadata, async (streams) => {
      const begun = await streams.begin(stream, counter);
      if (begun.state.total === 0) begun.record([Added({ amount: 1 })]);
    });

  test('is not read', async () => {
    const all = setUp();
    const reads = readsOf(all.store);
    expect(await begin(all, aStream())).toMatchObject({ position: 1n });
    expect(reads).toEqual([]);
  });

  test('is decided on in its current state if it exists already', async () => {
    const all = setUp();
    const stream = aStream();
    await all.store.add(stream, Added({ amount: 5 }));
    expect(await begin(all, stream)).toMatchObject({ position: null });
  });
});
