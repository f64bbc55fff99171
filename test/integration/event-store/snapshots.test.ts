import { PostgresSnapshotStore } from '../../../src/event-sourcing/event-store/snapshots.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { newStream } from '../../support/sample-events.js';

describe('snapshots', () => {
  let database: TestDatabase;
  let snapshots: PostgresSnapshotStore;

  beforeAll(async () => {
    database = await createTestDatabase();
    snapshots = new PostgresSnapshotStore(database.appPool);
  });

  afterAll(() => database.drop());

  it('are loaded as they were saved', async () => {
    const stream = newStream();
    const state = { name: 'a "task"', runs: [{ id: 1 }, null], none: {} };
    await snapshots.save(stream, 1, { version: 200, state });

    expect(await snapshots.load(stream, 1)).toEqual({ version: 200, state });
    expect(await snapshots.load(newStream(), 1)).toBeNull();
  });

  it.each([[[1, 2, 3]], ['text'], [null], [7]])('keep a state of %j', async (state) => {
    const stream = newStream();
    await snapshots.save(stream, 1, { version: 1, state });

    expect(await snapshots.load(stream, 1)).toEqual({ version: 1, state });
  });

  it('are never replaced by older ones', async () => {
    const stream = newStream();
    await snapshots.save(stream, 1, { version: 400, state: 'new' });
    await snapshots.save(stream, 1, { version: 200, state: 'late' });
    expect(await snapshots.load(stream, 1)).toEqual({ version: 400, state: 'new' });

    await snapshots.save(stream, 1, { version: 600, state: 'newer' });
    expect(await snapshots.load(stream, 1)).toEqual({ version: 600, state: 'newer' });
  });

  it('of another reducer version are ignored, and older ones deleted', async () => {
    const stream = newStream();
    await snapshots.save(stream, 1, { version: 400, state: 'by the first reducer' });
    expect(await snapshots.load(stream, 2)).toBeNull();

    await snapshots.save(stream, 2, { version: 300, state: 'by the second' });
    expect(await snapshots.load(stream, 2)).toEqual({ version: 300, state: 'by the second' });
    expect(await snapshots.load(stream, 1)).toBeNull();
  });
});
