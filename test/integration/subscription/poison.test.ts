import { ProjectionHandler } from '../../../src/event-sourcing/projection/projection-handler.js';
import { ParkedStreams } from '../../../src/event-sourcing/subscription/parked-streams.js';
import type { ParkedStream } from '../../../src/event-sourcing/subscription/subscription-handler.js';
import { newId } from '../../../src/kernel/uuid.js';
import { createPool } from '../../../src/platform/postgres/pool.js';
import { eventually } from '../../support/eventually.js';
import { pipelinePerTest } from '../../support/pipeline-per-test.js';
import { PostgresProxy } from '../../support/postgres-proxy.js';
import { toyProjection } from '../../support/toy-log.js';
import { type Running, type ToyPipeline } from '../../support/toy-pipeline.js';

describe('poison events', () => {
  let pipeline: ToyPipeline;
  let parked: ParkedStreams;
  const [sick, healthy] = [newId(), newId()];
  pipelinePerTest((created) => {
    pipeline = created;
    parked = new ParkedStreams(pipeline.database.appPool);
  });

  const poison = { amount: 10, note: 'poison' };

  /** The same view after the bug was fixed. */
  const cured = () =>
    new ProjectionHandler(
      pipeline.database.appPool,
      [
        {
          ...toyProjection,
          project: (row, event) => {
            const { amount } = event.data as { amount: number };
            return toyProjection.project(row, Object.create(event, { data: { value: { amount } } }));
          },
        },
      ],
      () => undefined,
    );

  it('stop only their own stream, and are reported until the report succeeds', async () => {
    const reports: ParkedStream[] = [];
    let deaf = true;
    const onParked = async (report: ParkedStream): Promise<void> => {
      if (deaf) throw new Error('NATS is away');
      reports.push(report);
    };
    await pipeline.log.add(healthy, 1, 2);
    await pipeline.log.add(sick, 1, poison, 5);
    await pipeline.log.add(healthy, 3);
    pipeline.start((signal) => pipeline.projector({ onParked }).run(signal));
    await pipeline.projected(6n);
    expect(await pipeline.totals()).toEqual({ [sick]: 1, [healthy]: 6 });
    expect(await parked.list('projector')).toMatchObject([
      {
        streamType: 'task',
        streamId: sick,
        fromPosition: 4n,
        fromVersion: 2,
        error: expect.stringContaining('cannot'),
      },
    ]);
    deaf = false;
    await eventually(() => expect(reports).toHaveLength(1));
    expect(reports[0]).toMatchObject({ subscription: 'projector', streamId: sick, fromPosition: 4n });

    await pipeline.log.add(sick, 7);
    await pipeline.projected(await pipeline.log.add(healthy, 4));
    expect(await pipeline.totals()).toEqual({ [sick]: 1, [healthy]: 10 });
  });

  it('include invalid data and unknown types', async () => {
    await pipeline.log.add(healthy, 1);
    await pipeline.log.add(sick, { amount: 'many' });
    const unknown = newId();
    await pipeline.log.record(unknown, 'NobodyKnows', [{}]);
    pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(await pipeline.log.add(healthy, 2));
    expect(await pipeline.totals()).toEqual({ [healthy]: 3 });
    expect((await parked.list()).map(({ streamId }) => streamId)).toEqual([sick, unknown]);
  });

  it('stay parked after a restart', async () => {
    await pipeline.log.add(sick, poison);
    const first = pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(1n);
    await first.stop();
    await pipeline.log.add(sick, 5);
    pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(await pipeline.log.add(healthy, 1));
    expect(await pipeline.totals()).toEqual({ [healthy]: 1 });
  });

  it('are applied in order by a redrive once they are readable, while new events arrive', async () => {
    await pipeline.log.add(sick, 1, poison, 5);
    const broken = pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(3n);
    expect(await parked.redrive('projector', sick, 10_000)).toBe('failed');
    expect(await parked.list()).toMatchObject([{ fromPosition: 2n, fromVersion: 2 }]);
    await broken.stop();

    pipeline.start((signal) => pipeline.projector({ handler: cured() }).run(signal));
    const redriven = parked.redrive('projector', sick, 10_000);
    for (let round = 0; round < 50; round++) await pipeline.log.add(sick, 1);
    expect(await redriven).toBe('unparked');
    await pipeline.projected(await pipeline.log.add(sick, 1));
    expect(await pipeline.totals()).toEqual({ [sick]: 1 + 10 + 5 + 51 });
    expect(await parked.list()).toEqual([]);
    expect(await parked.redrive('projector', sick, 10_000)).toBe('not_found');
  });

  /** A projector behind a proxy that drops responses of Postgres. It is stopped before the proxy. */
  const behindProxy = async (
    handler: ProjectionHandler,
    test: (proxy: PostgresProxy, start: () => void) => Promise<void>,
  ) => {
    const proxy = await PostgresProxy.before(pipeline.database.app);
    const pool = createPool(proxy.options);
    const projectors: Running[] = [];
    const start = () =>
      void projectors.push(pipeline.start((signal) => pipeline.projector({ pool, handler }).run(signal)));
    try {
      await test(proxy, start);
    } finally {
      for (const projector of projectors) await projector.stop();
      await pool.end();
      await proxy.close();
    }
  };

  it('are redriven once if the response to the redrive is lost', async () => {
    await pipeline.log.add(sick, 1, poison, 5);
    const broken = pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(3n);
    await broken.stop();

    await behindProxy(cured(), async (proxy, start) => {
      start();
      await pipeline.projected(await pipeline.log.add(healthy, 1));
      // Including the end of its text: the word also occurs in a setting's name.
      proxy.loseAnswersTo('commit\0', 1);
      expect(await parked.redrive('projector', sick, 10_000)).toBe('unparked');
      await pipeline.projected(await pipeline.log.add(sick, 7));
      expect(proxy.answersLost).toBe(1);
      expect(await pipeline.totals()).toEqual({ [sick]: 1 + 10 + 5 + 7, [healthy]: 1 });
    });
  });

  it('stay parked if the list of parked streams could not be read at first', async () => {
    await pipeline.log.add(sick, 1, poison);
    const first = pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(2n);
    await first.stop();
    await pipeline.log.add(sick, 5);
    const handler = new ProjectionHandler(pipeline.database.appPool, [toyProjection], () => undefined);
    await behindProxy(handler, async (proxy, start) => {
      proxy.loseAnswersTo('from read.parked', 1);
      start();
      await pipeline.projected(await pipeline.log.add(healthy, 1));
      expect(proxy.answersLost).toBe(1);
      expect(await pipeline.totals()).toEqual({ [sick]: 1, [healthy]: 1 });
    });
  });

  it('are parked again by a redrive, from the next event that fails', async () => {
    await pipeline.log.add(sick, { amount: 'many' }, 5, poison, 7);
    const handler = new ProjectionHandler(pipeline.database.appPool, [toyProjection], () => undefined);
    let lenient = false;
    const catalog = {
      schemaVersion: () => 1,
      upcast: (type: string, data: unknown) => {
        if (!lenient && typeof (data as { amount: unknown }).amount !== 'number') throw new Error('no number');
        return { type, data: { ...(data as object), amount: Number((data as { amount: unknown }).amount) || 0 } };
      },
    };
    const projector = pipeline.projector({ handler, catalog: catalog as never });
    pipeline.start((signal) => projector.run(signal));
    await pipeline.projected(4n);
    lenient = true;
    expect(await parked.redrive('projector', sick, 10_000)).toBe('failed');
    expect(await pipeline.totals()).toEqual({ [sick]: 5 });
    expect(await parked.list()).toMatchObject([{ fromPosition: 3n, fromVersion: 3 }]);
  });
});
