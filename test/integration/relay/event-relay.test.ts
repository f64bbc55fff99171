import { EventPublisher } from '../../../src/event-sourcing/relay/event-publisher.js';
import { newId } from '../../../src/kernel/uuid.js';
import { eventually } from '../../support/eventually.js';
import { pipelinePerTest } from '../../support/pipeline-per-test.js';
import { ToyLog } from '../../support/toy-log.js';
import { ToyPipeline, upTo } from '../../support/toy-pipeline.js';

describe('EventRelay', () => {
  let pipeline: ToyPipeline;
  pipelinePerTest((created) => (pipeline = created));

  const streamedUpTo = (position: bigint, from = 1n) =>
    eventually(async () => expect(await pipeline.streamed()).toEqual(upTo(position, from)));

  it('publishes committed events in order, on a subject of type and stream', async () => {
    const id = newId();
    pipeline.start((signal) => pipeline.relay().run(signal));
    await pipeline.log.add(id, 1, 2, 3);
    await streamedUpTo(3n);

    const message = await (await pipeline.nats.manager()).streams.getMessage(pipeline.stream.name, { seq: 2 });
    expect(message.subject).toBe(`${pipeline.prefix.toLowerCase()}.events.task.ToyAdded.${id}`);
    expect(message.header.get('voidrunner-position')).toBe('2');
    expect(message.header.get('voidrunner-epoch')).toBe('1');
    expect(message.header.get('voidrunner-version')).toBe('2');
    expect(JSON.parse(message.string())).toMatchObject({
      position: '2',
      stream_type: 'task',
      stream_id: id,
      version: 2,
      type: 'ToyAdded',
      schema_version: 1,
      data: { amount: 2 },
      event_id: message.header.get('Nats-Msg-Id'),
    });
  });

  it('continues after a crash between commit and publish', async () => {
    const id = newId();
    const first = pipeline.start((signal) => pipeline.relay().run(signal));
    await pipeline.log.add(id, 1, 2);
    await streamedUpTo(2n);
    await first.stop();
    await pipeline.log.add(id, 3, 4);
    expect(await pipeline.streamed()).toEqual(upTo(2n));
    pipeline.start((signal) => pipeline.relay().run(signal));
    await streamedUpTo(4n);
  });

  it('publishes nothing twice if a second relay works on the same stream without the lead', async () => {
    const id = newId();
    pipeline.start((signal) => pipeline.relay().relay(signal));
    pipeline.start((signal) => pipeline.relay().relay(signal));
    for (let round = 0; round < 30; round++) await pipeline.log.add(id, 1, 2, 3, 4, 5);
    await streamedUpTo(150n);
  });

  it('does not read back events that its own process recorded', async () => {
    const { log } = pipeline;
    const read: bigint[] = [];
    const readAllStored = async (afterPosition: bigint, limit: number) => {
      const found = await log.readAllStored(afterPosition, limit);
      read.push(...found.map(({ position }) => position));
      return found;
    };
    const events = { readAllStored, head: () => log.head(), readStreamStored: () => Promise.resolve([]) };
    const appends = { onAppend: (listener: (position: bigint) => void) => log.onAppended(listener) };
    pipeline.start((signal) => pipeline.relay({ events, appends, recent: log.recent }).run(signal));
    await streamedUpTo(await log.add(newId(), 1));
    const readUpTo = (await log.head()).position;
    for (let round = 0; round < 10; round++) await log.add(newId(), 1, { amount: 2, note: 'ö' });
    await streamedUpTo(21n);
    expect(read.filter((position) => position > readUpTo)).toEqual([]);
  });

  it('holds events that no other process waits for, and publishes them together', async () => {
    const { log } = pipeline;
    const batches: number[] = [];
    const publisher = new EventPublisher(pipeline);
    const publish = (...args: Parameters<EventPublisher['publish']>) => {
      batches.push(args[0].length);
      return publisher.publish(...args);
    };
    let isAwaited = true;
    const held = Promise.withResolvers<void>();
    const holding = Promise.withResolvers<void>();
    const hold = async () => {
      holding.resolve();
      await held.promise;
    };
    const options = { publisher: { publish } as EventPublisher, recent: log.recent, isAwaited: () => isAwaited, hold };
    pipeline.start((signal) => pipeline.relay(options).run(signal));
    await streamedUpTo(await log.add(newId(), 1));
    expect(batches).toEqual([1]);
    isAwaited = false;
    await log.add(newId(), 1);
    await holding.promise;
    for (let event = 0; event < 3; event++) await log.add(newId(), 1);
    expect(batches).toEqual([1]);
    // An append returns to its caller before its event is among the recent ones.
    await eventually(() => expect(log.recent.after(4n, 1)).toHaveLength(1));
    held.resolve();
    await streamedUpTo(5n);
    expect(batches).toEqual([1, 4]);
  });

  it('publishes all events that other processes recorded in between', async () => {
    const { log } = pipeline;
    const others = new ToyLog(pipeline.database);
    pipeline.start((signal) => pipeline.relay({ recent: log.recent, pollIntervalMs: 60_000 }).run(signal));
    for (let round = 0; round < 20; round++) {
      await Promise.all([log.add(newId(), 1), others.add(newId(), 1, 2), log.add(newId(), 1)]);
    }
    // Signalled in any case: this process need not tell itself what the other log appends.
    await streamedUpTo(await log.add(newId(), 1));
    await others.close();
  });

  it('refuses a publish of a relay that was suspended while another continued', async () => {
    const id = newId();
    let thaw = (): void => undefined;
    const frozen = new Promise<void>((resolve) => (thaw = resolve));
    const publisher = new EventPublisher(pipeline);
    const late = {
      publish: async (...args: Parameters<EventPublisher['publish']>) => (await frozen, publisher.publish(...args)),
    };
    pipeline.start((signal) => pipeline.relay({ publisher: late as EventPublisher }).relay(signal));
    await pipeline.log.add(id, 1, 2, 3);
    pipeline.start((signal) => pipeline.relay().relay(signal));
    await streamedUpTo(3n);
    await pipeline.log.add(id, 4, 5);
    await streamedUpTo(5n);
    thaw();
    await pipeline.log.add(id, 6);
    await streamedUpTo(6n);
  });

  it('creates a deleted stream again, from the lowest checkpoint', async () => {
    const id = newId();
    pipeline.start((signal) => pipeline.relay().run(signal));
    // The stream first: a projector ahead of it reads Postgres, and its checkpoint would determine where the stream
    // begins.
    await streamedUpTo(await pipeline.log.add(id, 1, 2, 3));
    const projector = pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(3n);
    await projector.stop();
    await streamedUpTo(await pipeline.log.add(id, 4, 5));
    await (await pipeline.nats.manager()).streams.delete(pipeline.stream.name);
    await streamedUpTo(5n, 4n);
    pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(await pipeline.log.add(id, 6));
    await streamedUpTo(6n, 4n);
    expect(await pipeline.totals()).toEqual({ [id]: 21 });
  });

  it('continues if the stream was purged', async () => {
    const id = newId();
    const relay = pipeline.start((signal) => pipeline.relay().run(signal));
    await streamedUpTo(await pipeline.log.add(id, 1, 2, 3));
    const projector = pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(3n);
    await relay.stop();
    // An empty stream need not contain events that the projector has read from Postgres meanwhile.
    await projector.stop();
    await (await pipeline.nats.manager()).streams.purge(pipeline.stream.name);
    await pipeline.log.add(id, 4);
    pipeline.start((signal) => pipeline.relay().run(signal));
    await eventually(async () => expect((await pipeline.streamed()).at(-1)).toBe(4n));
    pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(await pipeline.log.add(id, 5));
    expect(await pipeline.totals()).toEqual({ [id]: 15 });
  });

  it('creates the stream again if messages were removed that it still remembers', async () => {
    const id = newId();
    const relay = pipeline.start((signal) => pipeline.relay().run(signal));
    await pipeline.log.add(id, 1, 2, 3);
    await streamedUpTo(3n);
    await relay.stop();
    await (await pipeline.nats.manager()).streams.purge(pipeline.stream.name, { keep: 0 });
    pipeline.start((signal) => pipeline.relay().run(signal));
    await streamedUpTo(3n);
  });

  it.each([
    ['another epoch', 'update es.log set epoch = 2'],
    ['a log that ends before the stream does', null],
  ])('creates the stream again after a restore: %s', async (_, sql) => {
    const id = newId();
    const relay = pipeline.start((signal) => pipeline.relay().run(signal));
    await pipeline.log.add(id, 1, 2, 3);
    await streamedUpTo(3n);
    await relay.stop();
    if (sql) {
      await pipeline.database.ownerPool.query(sql);
      pipeline.start((signal) => pipeline.relay().run(signal));
      await eventually(async () => {
        const message = await (await pipeline.nats.manager()).streams.getMessage(pipeline.stream.name, { seq: 3 });
        expect(message.header.get('voidrunner-epoch')).toBe('2');
      });
      await streamedUpTo(3n);
      return;
    }
    const other = await ToyPipeline.create(pipeline.nats, pipeline.prefix);
    try {
      await other.log.add(newId(), 7);
      other.start((signal) => other.relay().run(signal));
      await streamedUpTo(1n);
    } finally {
      await other.close();
    }
  });
});
