import { ProjectionRebuild } from '../../../src/event-sourcing/projection/projection-rebuild.js';
import { newId } from '../../../src/kernel/uuid.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { pipelinePerTest } from '../../support/pipeline-per-test.js';
import { toyCatalog, toyProjection } from '../../support/toy-log.js';
import { type ToyPipeline } from '../../support/toy-pipeline.js';

describe('ProjectionRebuild', () => {
  let pipeline: ToyPipeline;
  const ids = Array.from({ length: 12 }, newId);
  pipelinePerTest((created) => (pipeline = created));

  const rebuild = (projection = toyProjection) =>
    new ProjectionRebuild({
      pool: pipeline.database.ownerPool,
      events: pipeline.log,
      catalog: toyCatalog,
      projections: [projection],
      subscription: 'projector',
      log: silentLog,
    });

  const indexes = async (): Promise<string[]> => {
    const { rows } = await pipeline.database.ownerPool.query<{ name: string }>(
      `select indexname as name from pg_indexes where schemaname = 'read' and tablename like 'toys%' order by 1`,
    );
    return rows.map(({ name }) => name);
  };

  /** Changes of every kind: rows created, changed, deleted and created again. */
  const fill = async (): Promise<bigint> => {
    for (const [index, id] of ids.entries()) {
      await pipeline.log.add(id, 1, { amount: index, note: `note "${index}", {ö}\n` }, 3);
      if (index % 3 === 0) await pipeline.log.record(id, 'ToyRemoved', [{}]);
      if (index % 6 === 0) await pipeline.log.add(id, 7);
    }
    return (await pipeline.log.head()).position;
  };

  it('builds the same views as the live projector', async () => {
    const projector = pipeline.start((signal) => pipeline.projector().run(signal));
    const position = await fill();
    await pipeline.projected(position);
    await projector.stop();
    const live = await pipeline.rows();
    expect(live).toHaveLength(10);

    expect(await rebuild().verify()).toMatchObject({
      swapped: false,
      position,
      tables: [{ table: 'toys', live: 10, rebuilt: 10, differing: 0, examples: [] }],
    });
    expect(await rebuild().rebuild()).toMatchObject({ swapped: true, events: Number(position), position });
    expect(await pipeline.rows()).toEqual(live);
  });

  it('finds and repairs rows that differ from the log', async () => {
    const projector = pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(await fill());
    await projector.stop();
    const before = await pipeline.rows();
    const { ownerPool } = pipeline.database;
    await ownerPool.query('update read.toys set total = total + 1 where id = $1', [ids[1]]);
    await ownerPool.query('delete from read.toys where id = $1', [ids[2]]);
    const [table] = (await rebuild().verify()).tables;
    expect(table).toMatchObject({ live: 9, rebuilt: 10, differing: 2 });
    expect([...table!.examples].sort()).toEqual([ids[1], ids[2]].sort());
    await rebuild().rebuild();
    expect(await pipeline.rows()).toEqual(before);
  });

  it('repairs rows that a running projector has cached', async () => {
    const [id] = ids as [string];
    const first = pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(await pipeline.log.add(id, 1));
    await first.stop();
    await pipeline.database.ownerPool.query('update read.toys set total = 90');
    pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(await pipeline.log.add(id, 2));
    expect(await pipeline.totals()).toEqual({ [id]: 92 });
    await rebuild().rebuild();
    await pipeline.projected(await pipeline.log.add(id, 3));
    expect(await pipeline.totals()).toEqual({ [id]: 6 });
  });

  it('keeps index names and privileges, and leaves no shadow table', async () => {
    await fill();
    const names = await indexes();
    for (let time = 0; time < 3; time++) await rebuild().rebuild();
    expect(await indexes()).toEqual(names);
    const projector = pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(await pipeline.log.add(ids[1]!, 100));
    await projector.stop();
    expect((await rebuild().verify()).tables).toMatchObject([{ differing: 0 }]);
  });

  it('fills the views if no projector ever ran, and the projector continues from there', async () => {
    const position = await fill();
    await rebuild().rebuild();
    expect(await pipeline.checkpoint()).toBe(position);
    pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(await pipeline.log.add(ids[1]!, 100));
    expect((await pipeline.totals())[ids[1]!]).toBe(1 + 1 + 3 + 100);
  });

  it('runs beside appends, the projector and readers', async () => {
    pipeline.start((signal) => pipeline.relay().run(signal));
    pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.projected(await fill());
    let isRebuilding = true;
    let appended = 0;
    const appending = (async () => {
      while (isRebuilding) {
        appended += 1;
        await pipeline.log.add(ids[1]!, 1);
        expect((await pipeline.rows()).length).toBe(10);
      }
    })();
    for (let time = 0; time < 5; time++) await rebuild().rebuild();
    isRebuilding = false;
    await appending;
    const last = await pipeline.log.add(ids[1]!, 1);
    await pipeline.projected(last);
    expect((await pipeline.totals())[ids[1]!]).toBe(5 + appended + 1);
    expect((await rebuild().verify()).tables).toMatchObject([{ differing: 0 }]);
  });

  it('leaves parked streams unchanged, and changes nothing if an event fails', async () => {
    const projector = pipeline.start((signal) => pipeline.projector().run(signal));
    await pipeline.log.add(ids[0]!, 1, { amount: 5, note: 'poison' }, 7);
    await pipeline.projected(await pipeline.log.add(ids[1]!, 2));
    await projector.stop();
    expect(await rebuild().rebuild()).toMatchObject({ tables: [{ live: 2, rebuilt: 2, differing: 0 }] });
    expect(await pipeline.totals()).toEqual({ [ids[0]!]: 1, [ids[1]!]: 2 });

    const broken = {
      ...toyProjection,
      project: () => {
        throw new Error('a bug in the new version of a view');
      },
    };
    await expect(rebuild(broken).rebuild()).rejects.toThrow('a bug in the new version');
    expect(await pipeline.totals()).toEqual({ [ids[0]!]: 1, [ids[1]!]: 2 });
    expect(await indexes()).toHaveLength(2);
  });

  it('runs once at a time', async () => {
    await fill();
    const other = await pipeline.database.ownerPool.connect();
    await other.query('select pg_advisory_lock(hashtextextended($1, 0))', ['voidrunner rebuild projector']);
    await expect(rebuild().rebuild()).rejects.toThrow('another rebuild');
    await other.query('select pg_advisory_unlock_all()');
    other.release();
    await rebuild().rebuild();
  });
});
