import { once } from 'node:events';

import { headers } from 'nats';

import type { Delivery, RecordedEvent } from '../../../src/event-sourcing/core/event.js';
import type { EventDelivery } from '../../../src/event-sourcing/subscription/event-delivery.js';
import { Unavailable } from '../../../src/kernel/errors.js';
import { newId } from '../../../src/kernel/uuid.js';
import { eventually } from '../../support/eventually.js';
import { pipelinePerTest } from '../../support/pipeline-per-test.js';
import { type ToyPipeline, upTo } from '../../support/toy-pipeline.js';

describe('Subscription', () => {
  let pipeline: ToyPipeline;
  pipelinePerTest((created) => (pipeline = created));

  /** A handler that records its events. */
  const recorder = () => {
    const seen: RecordedEvent[] = [];
    const runEffects = async (deliveries: readonly Delivery[], _: AbortSignal, ranUpTo: bigint): Promise<void> =>
      void seen.push(...deliveries.map(({ event }) => event).filter(({ position }) => position > ranUpTo));
    return { seen, runEffects, positions: () => seen.map(({ position }) => position) };
  };

  /** A log that subscriptions cannot read: their events must have come over JetStream. */
  const unreadable = () => ({
    head: () => pipeline.log.head(),
    readStreamStored: () => Promise.resolve([]),
    readAllStored: () => Promise.resolve([]),
  });

  it('delivers each event once and in order, over JetStream', async () => {
    const handler = recorder();
    pipeline.start((signal) => pipeline.relay().run(signal));
    pipeline.start((signal) => pipeline.projector({ handler, events: unreadable() }).run(signal));
    const ids = [newId(), newId(), newId()];
    for (let round = 1; round <= 20; round++) for (const id of ids) await pipeline.log.add(id, round, -round);
    await pipeline.projected(120n);
    expect(handler.positions()).toEqual(upTo(120n));
    expect(handler.seen[0]).toMatchObject({ type: 'ToyAdded', data: { amount: 1 }, version: 1 });
  });

  it('reads only Postgres if there is no relay', async () => {
    const handler = recorder();
    pipeline.start((signal) => pipeline.projector({ handler }).run(signal));
    await pipeline.projected(await pipeline.log.add(newId(), 1, 2, 3));
    expect(handler.positions()).toEqual(upTo(3n));
  });

  it('resumes at its checkpoint, also with its consumer', async () => {
    const handler = recorder();
    pipeline.start((signal) => pipeline.relay().run(signal));
    const first = pipeline.start((signal) => pipeline.projector({ handler, events: unreadable() }).run(signal));
    await pipeline.projected(await pipeline.log.add(newId(), 1, 2, 3));
    await first.stop();
    await (await pipeline.nats.manager()).consumers.delete(pipeline.stream.name, 'projector');
    await pipeline.log.add(newId(), 4, 5);
    pipeline.start((signal) => pipeline.projector({ handler, events: unreadable() }).run(signal));
    await pipeline.projected(5n);
    expect(handler.positions()).toEqual(upTo(5n));
    const info = await (await pipeline.nats.manager()).consumers.info(pipeline.stream.name, 'projector');
    expect(info.config.opt_start_seq).toBe(4);
  });

  it('drops duplicates, events out of order, and events of another epoch', async () => {
    const handler = recorder();
    await pipeline.stream.ensure();
    pipeline.start((signal) => pipeline.projector({ handler }).run(signal));
    await pipeline.projected(await pipeline.log.add(newId(), 1, 2, 3, 4));
    const publish = async (position: number, epoch: number): Promise<void> => {
      const said = headers();
      said.set('voidrunner-position', String(position));
      said.set('voidrunner-epoch', String(epoch));
      const subject = `${pipeline.prefix.toLowerCase()}.events.task.ToyAdded.x`;
      await pipeline.nats.jetstream().publish(subject, 'not even JSON', { headers: said });
    };
    await publish(3, 1);
    await publish(5, 0);
    await publish(2, 1);
    await publish(5, 2);
    await pipeline.projected(await pipeline.log.add(newId(), 5));
    expect(handler.positions()).toEqual(upTo(5n));
    await eventually(async () => {
      const info = await (await pipeline.nats.manager()).consumers.info(pipeline.stream.name, 'projector');
      expect(info.num_ack_pending + info.num_pending).toBe(0);
    });
  });

  it('fills a gap from Postgres if messages were removed from the stream', async () => {
    const handler = recorder();
    const relay = pipeline.start((signal) => pipeline.relay().run(signal));
    await pipeline.log.add(newId(), 1, 2, 3, 4, 5, 6);
    await eventually(async () => expect(await pipeline.streamed()).toEqual(upTo(6n)));
    await relay.stop();
    const manager = await pipeline.nats.manager();
    for (const seq of [2, 3, 5]) await manager.streams.deleteMessage(pipeline.stream.name, seq);
    pipeline.start((signal) => pipeline.projector({ handler }).run(signal));
    await pipeline.projected(6n);
    expect(handler.positions()).toEqual(upTo(6n));
  });

  it('skips irrelevant events, and moves the checkpoint later', async () => {
    const handler = recorder();
    const concerns = ({ type }: { type: string }) => type === 'ToyRemoved';
    pipeline.start((signal) => pipeline.relay().run(signal));
    const first = pipeline.start((signal) => pipeline.projector({ handler: { ...handler, concerns } }).run(signal));
    const id = newId();
    await pipeline.log.add(id, 1, 2);
    await pipeline.log.record(id, 'ToyRemoved', [{}]);
    await pipeline.log.add(id, 3, 4);
    await pipeline.projected(5n);
    expect(handler.positions()).toEqual([3n]);
    await first.stop();

    pipeline.start((signal) => pipeline.projector({ handler }).run(signal));
    await pipeline.projected(await pipeline.log.add(id, 5));
    expect(handler.positions()).toEqual([3n, 6n]);
  });

  it('applies events that can wait with the next ones, or alone after a moment', async () => {
    const handler = recorder();
    const commits: bigint[] = [];
    const committed = (position: bigint): void => void commits.push(position);
    const canWait = ({ type }: { type: string }) => type === 'ToyAdded';
    const coalescing = { ...handler, canWait, committed };
    pipeline.start((signal) => pipeline.relay().run(signal));
    // Events that are read from Postgres do not wait.
    const patient = pipeline.start((signal) =>
      pipeline.projector({ handler: coalescing, events: unreadable(), coalesceMs: 60_000 }).run(signal),
    );
    const id = newId();
    await pipeline.projected(await pipeline.log.record(id, 'ToyRemoved', [{}]));
    await pipeline.log.add(id, 1);
    await pipeline.log.add(id, 2);
    await pipeline.projected(await pipeline.log.record(id, 'ToyRemoved', [{}]));
    expect([handler.positions(), commits]).toEqual([upTo(4n), [1n, 4n]]);
    await pipeline.log.add(id, 3);
    await patient.stop();
    expect(await pipeline.checkpoint()).toBe(4n);

    pipeline.start((signal) => pipeline.projector({ handler: coalescing, coalesceMs: 1 }).run(signal));
    await pipeline.projected(5n);
    await pipeline.projected(await pipeline.log.add(id, 4));
    expect(handler.positions()).toEqual(upTo(6n));
  });

  it('runs the effects of events that can wait at once, and once', async () => {
    const handler = recorder();
    let outages = 1;
    const runEffects: typeof handler.runEffects = async (...batch) => {
      if (outages-- > 0) throw new Unavailable('redis', 'away');
      await handler.runEffects(...batch);
    };
    const canWait = ({ type }: { type: string }) => type === 'ToyAdded';
    const events = unreadable();
    const waiting = { runEffects, canWait, coalesceMs: 60_000, recent: pipeline.log.recent, delivery: null };
    pipeline.start((signal) => pipeline.projector({ handler: waiting, ...waiting, events }).run(signal));
    await eventually(() => expect(pipeline.log.recent.isWanted).toBe(true));
    const id = newId();
    // The first cannot be held: its effects failed.
    await pipeline.projected(await pipeline.log.add(id, 1));
    for (const position of [2n, 3n]) {
      await pipeline.log.add(id, 1);
      await eventually(() => expect(handler.positions()).toEqual(upTo(position)));
      expect(await pipeline.checkpoint()).toBe(1n);
    }
    await pipeline.projected(await pipeline.log.record(id, 'ToyRemoved', [{}]));
    expect(handler.positions()).toEqual(upTo(4n));
  });

  it('finds an event that NATS does not deliver, however often it is woken', async () => {
    const silent = {
      connected: true,
      run: (signal: AbortSignal) => once(signal, 'abort'),
      next: () => [],
      hasGap: () => false,
      acknowledgeUpTo: () => undefined,
      restart: () => undefined,
    };
    const handler = recorder();
    const projector = pipeline.projector({ handler, delivery: silent as unknown as EventDelivery });
    pipeline.start((signal) => projector.run(signal));
    const id = newId();
    await pipeline.projected(await pipeline.log.add(id, 1));
    const waking = setInterval(() => projector.wake(), 5);
    await pipeline.projected(await pipeline.log.add(id, 2));
    clearInterval(waking);
    expect(handler.positions()).toEqual(upTo(2n));
  });

  it('looks again at an event that it holds when it is woken', async () => {
    let canWait = true;
    const coalescing = { ...recorder(), canWait: () => canWait };
    const projector = pipeline.projector({ handler: coalescing, recent: pipeline.log.recent, coalesceMs: 60_000 });
    pipeline.start((signal) => projector.run(signal));
    await eventually(() => expect(projector.leads).toBe(true));
    // Keeps recent events from its first step on.
    await eventually(() => expect(pipeline.log.recent.isWanted).toBe(true));
    const position = await pipeline.log.add(newId(), 1);
    canWait = false;
    projector.wake();
    await pipeline.projected(position);
    expect(coalescing.positions()).toEqual([position]);
  });

  it('applies what its own process recorded without NATS and without reading it', async () => {
    const handler = recorder();
    const events = unreadable();
    pipeline.start((signal) =>
      pipeline.projector({ handler, events, recent: pipeline.log.recent, delivery: null }).run(signal),
    );
    await eventually(() => expect(pipeline.log.recent.isWanted).toBe(true));
    const id = newId();
    for (let event = 0; event < 5; event++) await pipeline.projected(await pipeline.log.add(id, 1));
    expect(handler.positions()).toEqual(upTo(5n));
  });

  it('writes each event once, even if several processes believe they lead', async () => {
    const id = newId();
    const lost: unknown[] = [];
    for (let rival = 0; rival < 3; rival++) {
      const projector = pipeline.projector();
      pipeline.start(async (signal) => {
        while (!signal.aborted) await projector.lead(signal).catch((error: unknown) => lost.push(error));
      });
    }
    for (let round = 0; round < 40; round++) await pipeline.log.add(id, 1);
    await pipeline.projected(40n);
    expect(await pipeline.totals()).toEqual({ [id]: 40 });
    // A slower process finds out at its next check.
    await eventually(() => {
      expect(new Set(lost.map((error) => (error as Error).name))).toEqual(new Set(['CheckpointMoved']));
    });
  });

  it('waits for the end of a handler’s outage, and parks nothing', async () => {
    let outages = 4;
    const handler = recorder();
    const runEffects: typeof handler.runEffects = async (...batch) => {
      if (outages-- > 0) throw new Unavailable('redis', 'away');
      await handler.runEffects(...batch);
    };
    const poison = { failures: 1, overMs: 0 };
    pipeline.start((signal) => pipeline.projector({ handler: { runEffects }, poison }).run(signal));
    await pipeline.projected(await pipeline.log.add(newId(), 1, 2));
    expect(handler.positions()).toEqual([1n, 2n]);
    expect((await pipeline.database.appPool.query('select from read.parked')).rowCount).toBe(0);
  });

  it('can be stopped during an outage', async () => {
    let tried = 0;
    const runEffects = async (): Promise<void> => {
      tried += 1;
      throw new Unavailable('redis', 'away');
    };
    const stuck = pipeline.start((signal) => pipeline.projector({ handler: { runEffects } }).run(signal));
    await pipeline.log.add(newId(), 1);
    await eventually(() => expect(tried).toBeGreaterThan(1));
    await stuck.stop();
    expect(await pipeline.checkpoint()).toBe(0n);
  });

  it('adopts a new epoch, and starts again if it was ahead of a restored log', async () => {
    const id = newId();
    const first = pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(await pipeline.log.add(id, 1, 2));
    await first.stop();
    const { ownerPool } = pipeline.database;
    await ownerPool.query('update es.log set epoch = 2');
    const second = pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(await pipeline.log.add(id, 3));
    await second.stop();
    expect(await pipeline.totals()).toEqual({ [id]: 6 });

    await ownerPool.query('update es.log set epoch = 3');
    await ownerPool.query('update read.checkpoints set position = 9');
    await ownerPool.query('update read.toys set total = 99');
    pipeline.start((signal) => pipeline.projector().run(signal));
    await eventually(async () => expect(await pipeline.totals()).toEqual({ [id]: 6 }));
    expect(await pipeline.checkpoint()).toBe(3n);
  });
});
