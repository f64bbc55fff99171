import { NatsLiveOutput } from '../../src/live-output/nats-live-output.js';
import type { NatsLink } from '../../src/platform/nats/nats-link.js';
import { eventually } from '../support/eventually.js';
import { InMemoryLiveOutput } from '../support/in-memory-live-output.js';
import { connectedLink, deleteStreams, uniquePrefix } from '../support/nats.js';
import { aSource, chunk, liveOutputContract, readSome } from './live-output.contract.js';

const MIB = 1024 ** 2;

describe('in memory', () => liveOutputContract(() => new InMemoryLiveOutput()));

describe('over NATS', () => {
  const prefix = uniquePrefix();
  let nats: NatsLink;
  let live: NatsLiveOutput;

  beforeAll(async () => {
    nats = await connectedLink();
    live = new NatsLiveOutput({ nats, prefix, bytesMax: 4 * MIB });
  });
  afterAll(async () => {
    await nats.close();
    await deleteStreams(prefix);
  });

  liveOutputContract(() => live);

  test('output is kept in memory, for ten minutes, up to the stream’s size', async () => {
    await live.publish(aSource(), chunk(0, 'x'));
    const { config } = await (await nats.manager()).streams.info(`${prefix}_OUTPUT`);
    expect(config).toMatchObject({ storage: 'memory', max_age: 600e9, max_bytes: 4 * MIB, discard: 'old' });
  });

  test('a slow reader misses nothing and delays nobody', async () => {
    const source = aSource();
    const over = new AbortController();
    const chunks = Array.from({ length: 40 }, (_, n) => ({ offset: n * 64 * 1024, bytes: Buffer.alloc(64 * 1024, n) }));
    await live.publish(source, chunks[0]!);
    const seen = new Set<number>();
    for await (const { offset } of live.read(source, over.signal)) {
      // The others arrive while the reader handles this one: far more than are buffered for a reader.
      if (seen.size === 0) for (const each of chunks.slice(1)) await live.publish(source, each);
      seen.add(offset);
      if (seen.size === chunks.length) over.abort();
    }
    expect([...seen]).toEqual(chunks.map(({ offset }) => offset));
  });

  test('readers leave no consumer behind', async () => {
    const source = aSource();
    await live.publish(source, chunk(0, 'x'));
    await readSome(live, source, 1);
    const { streams } = await nats.manager();
    await eventually(async () => {
      expect((await streams.info(`${prefix}_OUTPUT`)).state.consumer_count).toBe(0);
    });
  });

  test('a deleted stream is created again by the next publish', async () => {
    await (await nats.manager()).streams.delete(`${prefix}_OUTPUT`);
    const source = aSource();
    await expect(live.publish(source, chunk(0, 'x'))).rejects.toMatchObject({ name: 'Unavailable' });
    await live.publish(source, chunk(0, 'x'));
    expect(await readSome(live, source, 1)).toEqual([[0, 'x']]);
  });
});
