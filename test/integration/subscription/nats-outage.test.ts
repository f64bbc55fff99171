import { newId } from '../../../src/kernel/uuid.js';
import { NatsLink } from '../../../src/platform/nats/nats-link.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { eventually } from '../../support/eventually.js';
import { connectedLink, PrivateNats, uniquePrefix } from '../../support/nats.js';
import { ToyPipeline, upTo } from '../../support/toy-pipeline.js';

describe('a NATS outage', () => {
  let server: PrivateNats;
  let nats: NatsLink;
  let pipeline: ToyPipeline;
  const id = newId();

  beforeEach(async () => {
    server = await PrivateNats.start();
    nats = await connectedLink(server);
    pipeline = await ToyPipeline.create(nats, uniquePrefix());
  });

  afterEach(async () => {
    await pipeline.close();
    await nats.close();
    await server.remove();
  });

  const startBoth = (): void => {
    pipeline.start((signal) => pipeline.relay().run(signal));
    pipeline.start((signal) => pipeline.projector().run(signal));
  };

  /** Events flow over JetStream again, including its consumer, and the stream contains none twice. */
  const flows = async (): Promise<void> => {
    await eventually(
      async () => {
        const position = await pipeline.log.add(id, 0);
        await pipeline.projected(position);
        const positions = await pipeline.streamed();
        expect(positions).toEqual(upTo(position, positions[0] ?? 1n));
        const consumer = await (await nats.manager()).consumers.info(pipeline.stream.name, 'projector');
        expect(consumer.delivered.stream_seq).toBe((await pipeline.stream.info())?.state.last_seq);
      },
      { timeoutMs: 20_000, intervalMs: 100 },
    );
  };

  it('events flow through Postgres, then through JetStream again', async () => {
    startBoth();
    await pipeline.projected(await pipeline.log.add(id, 1, 2));
    await server.kill();
    await eventually(() => expect(nats.connected).toBe(false));
    for (let round = 0; round < 10; round++) await pipeline.projected(await pipeline.log.add(id, 1));
    await server.start();
    await eventually(() => expect(nats.connected).toBe(true));
    await flows();
    expect(await pipeline.totals()).toEqual({ [id]: 13 });
  });

  it('does not prevent a start', async () => {
    await server.stop();
    startBoth();
    await pipeline.projected(await pipeline.log.add(id, 1, 2));
    await server.start();
    await eventually(() => expect(nats.connected).toBe(true));
    await flows();
  });

  it('with a wiped disk: the stream is filled again from Postgres', async () => {
    startBoth();
    await pipeline.projected(await pipeline.log.add(id, 1, 2));
    await server.kill();
    await server.wipe();
    await pipeline.projected(await pipeline.log.add(id, 3));
    await server.start();
    await eventually(() => expect(nats.connected).toBe(true));
    await flows();
    expect(await pipeline.totals()).toEqual({ [id]: 6 });
  });

  it('suspended with its connection open: events are delayed and nothing stops', async () => {
    startBoth();
    await pipeline.projected(await pipeline.log.add(id, 1, 2));
    server.freeze();
    try {
      await pipeline.projected(await pipeline.log.add(id, 3));
    } finally {
      server.thaw();
    }
    await flows();
  });

  it('a deleted consumer is created again', async () => {
    startBoth();
    await pipeline.projected(await pipeline.log.add(id, 1));
    await flows();
    await (await nats.manager()).consumers.delete(pipeline.stream.name, 'projector');
    await flows();
  });

  it('is reported as an outage', async () => {
    const away = new NatsLink({ url: 'nats://127.0.0.1:1', name: 'test', log: silentLog });
    away.start();
    expect(await away.whenConnected(50)).toBe(false);
    expect(() => away.jetstream()).toThrow(expect.objectContaining({ name: 'Unavailable', dependency: 'nats' }));
    expect(away.health()).toEqual({ healthy: false, detail: 'not connected' });
    await away.close();
    expect(nats.health()).toEqual({ healthy: true, detail: expect.stringMatching(/^nats \d/) });
  });
});
