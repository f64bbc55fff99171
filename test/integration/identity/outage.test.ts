import { once } from 'node:events';
import { createServer } from 'node:net';

import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { type IdentityApp, startIdentityApp } from './identity-app.js';

const person = (name: string) => ({ email: `${name}@example.com`, password: 'correct horse battery', name });

describe('without Postgres', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  test('the process starts nevertheless, and responds 503 with Retry-After', async () => {
    const nobody = createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const { port } = nobody.address() as { port: number };
    nobody.close();
    const identity: IdentityApp = await startIdentityApp({ ...database, app: { ...database.app, port } });
    try {
      for (const answer of [
        await identity.post('/auth/register', person('ada')),
        await identity.post('/auth/login', { email: 'ada@example.com', password: 'correct horse battery' }),
      ]) {
        expect(answer.statusCode).toBe(503);
        expect(answer.headers['retry-after']).toBe('1');
        expect(answer.json()).toMatchObject({ error: 'Service temporarily unavailable' });
        expect(answer.payload).not.toContain(database.app.host);
      }
    } finally {
      await identity.close();
    }
  });

  test('broken connections are replaced, and tokens stay valid', async () => {
    const identity = await startIdentityApp(database);
    try {
      const { access_token } = (await identity.post('/auth/register', person('grace'))).json();
      await database.appPool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and usename = current_user`,
      );
      await eventually(async () => {
        expect((await identity.get('/auth/me', access_token)).statusCode).toBe(200);
        expect((await identity.post('/auth/login', person('nobody'))).statusCode).toBe(400);
      });
    } finally {
      await identity.close();
    }
  });
});
