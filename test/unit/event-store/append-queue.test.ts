import {
  AppendQueue,
  BATCH_BYTES_MAX,
  BATCH_EVENTS_MAX,
  SPLIT_APPENDS_MIN,
  WAITING_BYTES_MAX,
} from '../../../src/event-sourcing/event-store/append-queue.js';
import type { EncodedAppend } from '../../../src/event-sourcing/event-store/encoded-append.js';
import { Unavailable } from '../../../src/kernel/errors.js';

/** An append of that many events to these streams; tests identify it by its name. */
function append(name: string, streams: string[], events = 1, bytes = 100): EncodedAppend & { name: string } {
  const event = { stream: { type: 'task' as const, id: '' }, version: 1, eventId: '', type: '', schemaVersion: 1 };
  return {
    name,
    writes: streams.map((streamId) => ({ streamId, expectedVersion: 0 })),
    events: Array.from({ length: events }, () => ({ ...event, data: '', metadata: '' })),
    bytes,
  };
}

describe('the append queue', () => {
  let batches: string[][];
  let inFlight: (() => void)[];
  let queue: AppendQueue<string>;

  beforeEach(() => {
    batches = [];
    inFlight = [];
    queue = new AppendQueue(async (batch) => {
      batches.push(batch.map(({ append: item }) => (item as unknown as { name: string }).name));
      await new Promise<void>((resolve) => inFlight.push(resolve));
      for (const pending of batch) pending.resolve('recorded');
    });
  });

  /** Lets the batch in flight end, and every one after it. */
  async function drain(added: Promise<string>[]): Promise<void> {
    let settled = false;
    void Promise.allSettled(added).then(() => (settled = true));
    while (!settled) {
      inFlight.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

  /** These arrive while another append is in flight. */
  const behindAnother = (...appends: EncodedAppend[]) =>
    drain([append('first', ['first']), ...appends].map((item) => queue.add(item)));

  it('sends a single append at once', async () => {
    const added = [queue.add(append('a', ['1']))];
    expect(batches).toEqual([['a']]);
    await drain(added);
  });

  it('has one batch in flight, and collects the next one meanwhile', async () => {
    const added = [queue.add(append('a', ['1']))];
    await nextTurn();
    added.push(queue.add(append('b', ['2'])));
    await nextTurn();
    added.push(queue.add(append('c', ['3'])));

    expect(batches).toEqual([['a']]);
    await drain(added);
    expect(batches).toEqual([['a'], ['b', 'c']]);
  });

  const named = (streams: string[]) => streams.map((stream) => append(stream, [stream]));
  const many = Array.from({ length: SPLIT_APPENDS_MIN }, (_, index) => `many ${index}`);
  const half = SPLIT_APPENDS_MIN / 2;

  it('has two batches in flight under high load, of half the size each', async () => {
    const added = named(['first', ...many]).map((item) => queue.add(item));
    await nextTurn();
    expect(batches).toEqual([['first'], many.slice(0, half + 1)]);
    inFlight.shift()!();
    await nextTurn();
    await nextTurn();
    expect(batches.slice(2)).toEqual([many.slice(half + 1)]);
    await drain(added);
  });

  it('has one batch in flight under lower load', async () => {
    const added = named(['first', ...many.slice(2)]).map((item) => queue.add(item));
    await nextTurn();
    expect(batches).toEqual([['first']]);
    await drain(added);
    expect(batches).toEqual([['first'], many.slice(2)]);
  });

  it('sends no append of a stream that is in flight', async () => {
    const added = named(['first', 'first', ...many]).map((item) => queue.add(item));
    await nextTurn();
    expect(batches).toEqual([['first'], many.slice(0, half + 1)]);
    await drain(added);
    expect(batches.slice(2)).toEqual([['first', ...many.slice(half + 1)]]);
  });

  it('keeps callers together that append again and again', async () => {
    const caller = async (name: string) => {
      for (let round = 0; round < 4; round += 1) await queue.add(append(name, [name]));
    };
    await drain([caller('a'), caller('b'), caller('c')].map((done) => done.then(() => '')));
    expect(batches.slice(1, -1)).toEqual([
      ['b', 'c', 'a'],
      ['b', 'c', 'a'],
      ['b', 'c', 'a'],
    ]);
  });

  it('sends one append of a stream at a time, in order of arrival', async () => {
    await behindAnother(append('a', ['1']), append('b', ['1']), append('c', ['2']), append('d', ['1']));
    expect(batches.slice(1)).toEqual([['a', 'c'], ['b'], ['d']]);
  });

  it('lets no append overtake one to several streams', async () => {
    await behindAnother(append('a', ['1']), append('b', ['1', '2']), append('c', ['2']), append('d', ['3']));
    expect(batches.slice(1)).toEqual([['a', 'd'], ['b'], ['c']]);
  });

  it('limits a batch by events and by bytes, and sends a larger append alone', async () => {
    const half = Math.ceil(BATCH_EVENTS_MAX / 2);
    await behindAnother(
      append('a', ['1'], half),
      append('b', ['2'], half + 1),
      append('c', ['3'], 1, BATCH_BYTES_MAX),
      append('d', ['4'], BATCH_EVENTS_MAX + 1),
      append('e', ['5'], 1, BATCH_BYTES_MAX + 1),
      append('f', ['6']),
    );
    expect(batches.slice(1)).toEqual([['a'], ['b'], ['c'], ['d'], ['e'], ['f']]);
  });

  it('rejects the appends of a failed batch, and continues', async () => {
    let failures = 1;
    queue = new AppendQueue(async (batch) => {
      if (failures-- > 0) throw new Error('a bug');
      for (const pending of batch) pending.resolve('recorded');
    });

    await expect(queue.add(append('a', ['1']))).rejects.toThrow('a bug');
    expect(await queue.add(append('b', ['1']))).toBe('recorded');
    await queue.idle();
  });

  it('holds at most the maximum of bytes', async () => {
    const added = [append('a', ['1']), append('b', ['2'], 1, WAITING_BYTES_MAX)].map((item) => queue.add(item));
    await expect(queue.add(append('c', ['3']))).rejects.toBeInstanceOf(Unavailable);
    await drain(added);
    await drain([queue.add(append('d', ['4']))]);
    expect(batches).toEqual([['a'], ['b'], ['d']]);
  });
});
