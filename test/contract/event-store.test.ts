import { PostgresEventStore } from '../../src/event-sourcing/event-store/postgres-event-store.js';
import { silentLog } from '../../src/platform/telemetry/log.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { InMemoryEventStore } from '../support/in-memory-event-store.js';
import { sampleCatalog } from '../support/sample-events.js';
import { eventStoreContract } from './event-store.contract.js';

describe('the event store in memory', () => {
  const store = new InMemoryEventStore(sampleCatalog);
  eventStoreContract(() => store);
});

describe('the event store on Postgres', () => {
  let database: TestDatabase;
  let store: PostgresEventStore;

  beforeAll(async () => {
    database = await createTestDatabase();
    store = new PostgresEventStore({
      postgres: database.app,
      pool: database.appPool,
      catalog: sampleCatalog,
      log: silentLog,
    });
  });

  afterAll(async () => {
    await store.close();
    await database.drop();
  });

  eventStoreContract(() => store);
});
