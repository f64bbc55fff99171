import { PositionAnnouncements } from '../../../src/event-sourcing/projection/position-announcements.js';
import { PositionWaiter } from '../../../src/event-sourcing/projection/position-waiter.js';
import { newId } from '../../../src/kernel/uuid.js';
import type { NatsLink } from '../../../src/platform/nats/nats-link.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { eventually } from '../../support/eventually.js';
import { connectedLink, uniquePrefix } from '../../support/nats.js';
import { ToyPipeline } from '../../support/toy-pipeline.js';

describe('PositionWaiter', () => {
  let nats: NatsLink;
  let pipeline: ToyPipeline;
  const waiters: PositionWaiter[] = [];
  const prefix = uniquePrefix();

  beforeAll(async () => {
    nats = await connectedLink();
    pipeline = await ToyPipeline.create(nats, prefix);
  });

  afterEach(() => {
    for (const waiter of waiters.splice(0)) waiter.close();
  });

  afterAll(async () => {
    await pipeline.close();
    await nats.close();
  });

  /** In another process: it shares only Postgres, and perhaps NATS, with the projector. */
  const waiterElsewhere = (link: NatsLink | null, pollIntervalMs = 60_000): PositionWaiter => {
    const announcements = new PositionAnnouncements({
      nats: link,
      prefix,
      subscription: 'projector',
      isShared: () => true,
    });
    const pool = pipeline.database.appPool;
    const waiter = new PositionWaiter({
      pool,
      announcements,
      subscription: 'projector',
      pollIntervalMs,
      log: silentLog,
    });
    waiter.start();
    waiters.push(waiter);
    return waiter;
  };

  it('learns of a position from another process’s projector over NATS', async () => {
    const waiter = waiterElsewhere(nats);
    await nats.connection().flush();
    const projector = pipeline.start((signal) => pipeline.projector().run(signal));
    const position = await pipeline.log.add(newId(), 1);
    expect(await waiter.waitFor(position, 30_000)).toEqual({ reached: true, position });
    await projector.stop();
  });

  it('says which positions its callers wait for, and when one begins to', async () => {
    const waiter = waiterElsewhere(null);
    let waits = 0;
    waiter.onWait(() => (waits += 1));
    expect(waiter.isWanted(1n)).toBe(false);
    const wait = waiter.waitFor(7n, 30_000);
    expect([waits, waiter.isWanted(7n), waiter.isWanted(8n)]).toEqual([1, true, false]);
    waiter.close();
    expect(await wait).toEqual({ reached: false, position: 0n });
    expect(waiter.isWanted(1n)).toBe(false);
  });

  it('passes on which streams ended, if there are other processes, and ignores other messages', async () => {
    let isShared = false;
    const open = () =>
      new PositionAnnouncements({ nats, prefix, subscription: 'ended-streams', isShared: () => isShared });
    const [sender, receiver] = [open(), open()];
    const received: unknown[] = [];
    const stop = receiver.start();
    receiver.onPosition((position, endedStreams) => received.push([position, endedStreams]));
    const ids = [newId(), newId()];
    await nats.connection().flush();
    for (const wrong of ['', 'x', '1 x', '1  ', '-1', `1 ${'a'.repeat(35)}`])
      nats.connection().publish(sender.subject, wrong);
    sender.announce(6n);
    isShared = true;
    sender.announce(7n);
    sender.announce(8n, ids);
    await nats.connection().flush();
    await eventually(() => expect(received).toHaveLength(2));
    expect(received).toEqual([
      [7n, []],
      [8n, ids],
    ]);
    stop();
  });

  it('reads the checkpoint if there are no announcements', async () => {
    const waiter = waiterElsewhere(null, 20);
    const projector = pipeline.start((signal) => pipeline.projector().run(signal));
    const position = await pipeline.log.add(newId(), 1);
    expect(await waiter.waitFor(position, 30_000)).toEqual({ reached: true, position });
    expect(await waiter.waitFor(1n, 30_000)).toEqual({ reached: true, position });
    await projector.stop();
  });

  it('reads the checkpoint at once for a caller that cannot wait for the next poll', async () => {
    const projected = await pipeline.checkpoint();
    const waiter = waiterElsewhere(null, 60_000);
    expect(await waiter.waitFor(projected, 30_000)).toEqual({ reached: true, position: projected });
  });

  it('stops waiting in time, and reports the views’ position', async () => {
    const waiter = waiterElsewhere(nats, 20);
    const { position: head } = await pipeline.log.head();
    const projected = await pipeline.checkpoint();
    await waiter.waitFor(projected, 30_000);
    expect(await waiter.waitFor(head + 1n, 50)).toEqual({ reached: false, position: projected });
  });

  it('serves many callers, each with its own position', async () => {
    const waiter = waiterElsewhere(nats, 20);
    const id = newId();
    const { position: head } = await pipeline.log.head();
    const waiting = Array.from({ length: 50 }, (_, index) => waiter.waitFor(head + BigInt(index + 1), 30_000));
    const projector = pipeline.start((signal) => pipeline.projector().run(signal));
    for (let round = 0; round < 10; round++) await pipeline.log.add(id, 1, 2, 3, 4, 5);
    expect((await Promise.all(waiting)).every(({ reached }) => reached)).toBe(true);
    await projector.stop();
  });
});
