import { APPEND_EVENTS_MAX, EVENT_BYTES_MAX, type EventStore } from '../../src/event-sourcing/core/event-store.js';
import { DomainError, VersionConflict } from '../../src/kernel/errors.js';
import { newId } from '../../src/kernel/uuid.js';
import { newStream, noted, sampleMetadata, write } from '../support/sample-events.js';

/** The behaviour of every event store, whatever its storage. */
export function eventStoreContract(storeOf: () => EventStore): void {
  const append = (...writes: ReturnType<typeof write>[]) => storeOf().append(writes, sampleMetadata);
  const notesOf = async (stream: ReturnType<typeof newStream>) =>
    (await storeOf().readStream(stream)).map(({ data }) => (data as { note: unknown }).note);

  it('returns the events that were appended', async () => {
    const stream = newStream();
    const event = noted({ text: 'Grüße, 世界 🚀', list: [1, 2.5, -3e-7, true, null], quoted: `"\\u0000\\" {}` });
    const before = Date.now();

    const { firstPosition } = await storeOf().append([{ stream, expectedVersion: 0, events: [event] }], sampleMetadata);

    const [recorded, ...others] = await storeOf().readStream(stream);
    expect(others).toEqual([]);
    expect(recorded).toMatchObject({
      position: firstPosition,
      stream,
      version: 1,
      eventId: event.eventId,
      type: 'Noted',
      data: event.data,
      metadata: sampleMetadata,
    });
    expect(recorded!.recordedAt.getTime()).toBeGreaterThanOrEqual(before - 1_000);
    expect(recorded!.recordedAt.getTime()).toBeLessThanOrEqual(Date.now() + 1_000);
  });

  it('numbers positions without gaps over all streams, and versions within each stream', async () => {
    const [one, two] = [newStream(), newStream()];
    const { position: head } = await storeOf().head();

    const first = await append(write(one, 0, 'a', 'b'));
    const second = await append(write(two, 0, 'c'), write(one, 2, 'd'));

    expect(first).toEqual({ firstPosition: head + 1n, lastPosition: head + 2n, recordedNow: true });
    expect(second).toEqual({ firstPosition: head + 3n, lastPosition: head + 4n, recordedNow: true });
    const log = await storeOf().readAll(head, 10);
    expect(log.map(({ position, stream, version }) => [position - head, stream.id, version])).toEqual([
      [1n, one.id, 1],
      [2n, one.id, 2],
      [3n, two.id, 1],
      [4n, one.id, 3],
    ]);
    expect((await storeOf().head()).position).toBe(head + 4n);
  });

  it('reads a part of a stream, and a part of the log', async () => {
    const stream = newStream();
    const { firstPosition } = await append(write(stream, 0, 1, 2, 3, 4, 5));

    const part = await storeOf().readStream(stream, { afterVersion: 1, limit: 2 });
    const log = await storeOf().readAll(firstPosition, 3);

    expect(part.map(({ version }) => version)).toEqual([2, 3]);
    expect(log.map(({ version }) => version)).toEqual([2, 3, 4]);
    expect(await storeOf().readStream(stream, { afterVersion: 5 })).toEqual([]);
    expect(await storeOf().readStream(newStream())).toEqual([]);
    expect(await storeOf().readStream({ ...stream, type: 'user' })).toEqual([]);
    expect(await storeOf().readAll((await storeOf().head()).position, 10)).toEqual([]);
  });

  it('finds a stream by its id in any spelling', async () => {
    const stream = newStream();
    await append(write(stream, 0, 'a'));
    const shouted = { ...stream, id: stream.id.toUpperCase() };

    await append(write(shouted, 1, 'b'));

    expect(await notesOf(shouted)).toEqual(['a', 'b']);
    expect(await notesOf(stream)).toEqual(['a', 'b']);
  });

  it.each([
    ['behind', 1],
    ['ahead of', 3],
  ])('refuses an append whose expected version is %s the stream', async (_where, expectedVersion) => {
    const stream = newStream();
    await append(write(stream, 0, 'a', 'b'));

    const refused = await append(write(stream, expectedVersion, 'c')).catch((error: unknown) => error);

    expect(refused).toBeInstanceOf(VersionConflict);
    expect(refused).toMatchObject({ streamId: stream.id, expectedVersion, actualVersion: 2 });
    expect(await notesOf(stream)).toEqual(['a', 'b']);
  });

  it('refuses to create a stream twice, and to continue one that does not exist', async () => {
    const stream = newStream();
    await append(write(stream, 0, 'a'));

    await expect(append(write(stream, 0, 'b'))).rejects.toMatchObject({ expectedVersion: 0, actualVersion: 1 });
    await expect(append(write(newStream(), 4, 'b'))).rejects.toMatchObject({ expectedVersion: 4, actualVersion: 0 });
  });

  it('records an append over several streams whole or not at all', async () => {
    const [one, two] = [newStream(), newStream()];
    await append(write(one, 0, 'a'));
    const { position } = await storeOf().head();

    await expect(append(write(two, 0, 'b'), write(one, 0, 'c'))).rejects.toBeInstanceOf(VersionConflict);

    expect(await notesOf(one)).toEqual(['a']);
    expect(await notesOf(two)).toEqual([]);
    expect((await storeOf().head()).position).toBe(position);
  });

  it('returns the first result for a repeated append', async () => {
    const [one, two] = [newStream(), newStream()];
    const writes = [write(one, 0, 'a', 'b'), write(two, 0, 'c')];
    const first = await append(...writes);
    await append(write(one, 2, 'later'));

    expect(await append(...writes)).toEqual({ ...first, recordedNow: false });
    expect(await notesOf(one)).toEqual(['a', 'b', 'later']);
  });

  it('returns the first result for a repeated append of a single event', async () => {
    const single = { stream: newStream(), expectedVersion: 0, events: [noted({ b: 1, a: 2 })] };
    const first = await append(single);
    const reordered = { ...single.events[0]!, data: { note: { a: 2, b: 1 } } };

    expect(await append({ ...single, events: [reordered] })).toEqual({ ...first, recordedNow: false });
    expect(await append({ ...single, expectedVersion: 1 })).toEqual({ ...first, recordedNow: false });
  });

  describe('an event id that was recorded before', () => {
    const setUp = async () => {
      const stream = newStream();
      const recorded = [noted('a'), noted('b')];
      await storeOf().append([{ stream, expectedVersion: 0, events: recorded }], sampleMetadata);
      return { stream, recorded };
    };
    const expectReuse = (attempt: Promise<unknown>) =>
      expect(attempt).rejects.toMatchObject({ name: 'DomainError', code: 'event_id_reused' });

    it('is refused together with a new event', async () => {
      const { stream, recorded } = await setUp();
      await expectReuse(append({ stream, expectedVersion: 2, events: [...recorded, noted('c')] }));
      await expectReuse(append({ stream, expectedVersion: 2, events: [noted('c'), recorded[0]!] }));
      expect(await notesOf(stream)).toEqual(['a', 'b']);
    });

    it('is refused with other data, another type or on another stream', async () => {
      const { stream, recorded } = await setUp();
      const [a, b] = recorded as [ReturnType<typeof noted>, ReturnType<typeof noted>];
      await expectReuse(append({ stream, expectedVersion: 0, events: [a, { ...b, data: { note: 'forged' } }] }));
      await expectReuse(append({ stream, expectedVersion: 0, events: [a, { ...b, type: 'Forged' }] }));
      await expectReuse(append({ stream: newStream(), expectedVersion: 0, events: recorded }));
      await expectReuse(append({ stream, expectedVersion: 0, events: [b, a] }));
      await expectReuse(append({ stream: newStream(), expectedVersion: 0, events: [a] }));
    });

    it('is refused when two earlier appends are combined into one', async () => {
      const { stream, recorded } = await setUp();
      const between = await append(write(newStream(), 0, 'between'));
      expect(between.recordedNow).toBe(true);
      const third = noted('c');
      await append({ stream, expectedVersion: 2, events: [third] });
      await expectReuse(append({ stream, expectedVersion: 0, events: [...recorded, third] }));
    });
  });

  it(`accepts events of ${EVENT_BYTES_MAX} bytes, and none larger`, async () => {
    const overhead = JSON.stringify({ note: '' }).length;
    const fitting = 'x'.repeat(EVENT_BYTES_MAX - overhead);
    const stream = newStream();
    const tooLarge = { code: 'event_too_large', kind: 'invalid' };

    await append(write(stream, 0, fitting));

    await expect(append(write(stream, 1, `${fitting}x`))).rejects.toMatchObject(tooLarge);
    await expect(append(write(stream, 1, 'é'.repeat(EVENT_BYTES_MAX / 2)))).rejects.toMatchObject(tooLarge);
    await expect(append(write(stream, 1, 'a', fitting, `${fitting}x`))).rejects.toBeInstanceOf(DomainError);
    expect(await notesOf(stream)).toHaveLength(1);
  });

  it.each([
    ['NUL', 'a\0b'],
    ['a lone high surrogate', 'a\ud800b'],
    ['a lone low surrogate', '\udfff'],
    ['NUL in a key', { 'a\0b': 1 }],
    ['a lone surrogate deep inside', [{ a: [{ b: '\udbff' }] }]],
    ['excessive nesting', JSON.parse('['.repeat(30_000) + ']'.repeat(30_000)) as never],
  ])('refuses %s', async (_what, note) => {
    const stream = newStream();
    await expect(append(write(stream, 0, note))).rejects.toMatchObject({ code: 'event_not_storable', kind: 'invalid' });
    expect(await notesOf(stream)).toEqual([]);
  });

  it.each([['a\\u0000b'], ['\\ud800'], ['😀'], ['\u2028'], ['\u0001']])('accepts the well-formed %j', async (note) => {
    const stream = newStream();
    await append(write(stream, 0, note));
    expect(await notesOf(stream)).toEqual([note]);
  });

  it('accepts a large append, and refuses one above the limit', async () => {
    const stream = newStream();
    const notes = Array.from({ length: APPEND_EVENTS_MAX }, (_, index) => index);

    const { firstPosition, lastPosition } = await append(write(stream, 0, ...notes));

    expect(lastPosition - firstPosition).toBe(BigInt(APPEND_EVENTS_MAX - 1));
    expect(await notesOf(stream)).toEqual(notes);
    await expect(append(write(newStream(), 0, ...notes, 'one more'))).rejects.toThrow('more than');
  });

  it('refuses an append without events or streams', async () => {
    const stream = newStream();
    const twin = noted('twin');
    await expect(storeOf().append([], sampleMetadata)).rejects.toThrow('nothing to append');
    await expect(append(write(stream, 0))).rejects.toThrow('nothing to append');
    await expect(append(write(stream, 0, 'a'), write(stream, 1, 'b'))).rejects.toThrow('written twice');
    await expect(append({ stream, expectedVersion: 0, events: [twin, twin] })).rejects.toThrow('occurs twice');
    await expect(append(write(stream, -1, 'a'))).rejects.toThrow('not a version');
    await expect(append(write({ type: 'task', id: 'x' }, 0, 'a'))).rejects.toThrow('not a UUID');
    expect(await notesOf(stream)).toEqual([]);
  });

  it('upcasts events of older schema versions when they are read', async () => {
    const stream = newStream();
    const old = { eventId: newId(), type: 'Noted', schemaVersion: 1, data: { text: 'from long ago' } };
    await append({ stream, expectedVersion: 0, events: [old] });

    expect(await notesOf(stream)).toEqual(['from long ago']);
  });

  it.each([
    ['an unknown type', { type: 'Unheard', schemaVersion: 1, data: {} }],
    ['a future version', { type: 'Noted', schemaVersion: 3, data: { note: 1 } }],
    ['invalid data', { type: 'Noted', schemaVersion: 2, data: { other: 1 } }],
  ])('names the event with %s', async (_what, poison) => {
    const stream = newStream();
    const { lastPosition } = await append({ stream, expectedVersion: 0, events: [{ eventId: newId(), ...poison }] });

    await expect(storeOf().readStream(stream)).rejects.toMatchObject({
      name: 'PoisonEvent',
      event: { position: lastPosition, stream },
    });
  });

  it('accepts only one of many concurrent appends at the same version', async () => {
    const stream = newStream();
    const attempts = Array.from({ length: 20 }, (_, index) => append(write(stream, 0, index)));

    const settled = await Promise.allSettled(attempts);

    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of settled) {
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(VersionConflict);
    }
    expect(await notesOf(stream)).toHaveLength(1);
  });

  it("never records a time before the previous event's", async () => {
    const stream = newStream();
    for (let version = 0; version < 20; version += 1) await append(write(stream, version, version));

    const times = (await storeOf().readStream(stream)).map(({ recordedAt }) => recordedAt.getTime());

    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });
}
