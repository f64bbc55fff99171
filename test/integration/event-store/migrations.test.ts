import { readdir } from 'node:fs/promises';

import { MIGRATIONS } from '../../../migrations/all.js';
import { migrateDown, migrateUp, pendingMigrations } from '../../../src/platform/postgres/migrator.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

describe('migrations', () => {
  it('list all files of their folder, in order', async () => {
    const files = (await readdir('migrations')).filter((name) => name.startsWith('Migration')).toSorted();
    expect(MIGRATIONS.map((migration) => `${migration.name}.ts`)).toEqual(files);
    expect(files).toEqual(MIGRATIONS.map((migration) => expect.stringMatching(`^${migration.class.name}_`)));
  });

  let database: TestDatabase;
  const options = () => ({ owner: database.owner, appRole: database.app.user });

  beforeAll(async () => {
    database = await createTestDatabase({ migrated: false });
  });

  afterAll(() => database.drop());

  it('are applied once, also if two instances start together', async () => {
    const pending = await pendingMigrations(options());
    const applied = await Promise.all([migrateUp(options()), migrateUp(options())]);

    expect(pending[0]).toBe('Migration20260101000000_event_store');
    expect(applied.flat()).toEqual(pending);
    expect(await pendingMigrations(options())).toEqual([]);
  });

  it('can all be reverted and applied again', async () => {
    const reverted: string[] = [];
    for (let name = await migrateDown(options()); name.length > 0; name = await migrateDown(options())) {
      reverted.push(...name);
    }

    expect(await migrateUp(options())).toEqual(reverted.toReversed());
  });

  it('do not revert a log that has events', async () => {
    await database.ownerPool.query(
      `insert into es.events values (1, 'task', gen_random_uuid(), 1, gen_random_uuid(), 'A', 1, '{}', '{}', now())`,
    );
    const all = async () => {
      while ((await migrateDown(options())).length > 0);
    };

    await expect(all()).rejects.toThrow('the log is not empty');
  });
});
