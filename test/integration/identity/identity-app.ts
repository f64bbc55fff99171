import { randomBytes } from 'node:crypto';

import { type DynamicModule, Global, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { IdentityModule } from '../../../src/composition/identity.module.js';
import { EventCatalog } from '../../../src/event-sourcing/core/event-catalog.js';
import { EventStore } from '../../../src/event-sourcing/core/event-store.js';
import { PostgresEventStore } from '../../../src/event-sourcing/event-store/postgres-event-store.js';
import { createHttpApp } from '../../../src/http/create-http-app.js';
import type { RateLimiter } from '../../../src/http/rate-limit/rate-limiter.js';
import { userEvents } from '../../../src/identity/domain/user-events.js';
import { DataKeys } from '../../../src/platform/payloads/data-keys.js';
import { MasterKeys } from '../../../src/platform/payloads/master-keys.js';
import { KEY_BYTES } from '../../../src/platform/payloads/sealed-box.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import type { TestDatabase } from '../../support/database.js';

export const tokenOptions = {
  secret: 'a secret of more than thirty-two characters',
  issuer: 'voidrunner',
  audience: 'voidrunner-api',
  accessTokenMs: 900_000,
  refreshTokenMs: 7 * 24 * 3_600_000,
};

export const REFRESH_GRACE_MS = 10_000;

export interface IdentityApp {
  readonly app: NestFastifyApplication;
  readonly events: PostgresEventStore;
  post(path: string, body?: unknown, token?: string): ReturnType<NestFastifyApplication['inject']>;
  get(path: string, token?: string): ReturnType<NestFastifyApplication['inject']>;
  close(): Promise<void>;
}

/** Identity as in the service, on a real log and a real database. */
export async function startIdentityApp(
  database: TestDatabase,
  options: {
    rateLimiter?: RateLimiter;
    tokens?: Partial<typeof tokenOptions>;
    keys?: Pick<DataKeys, 'destroy'>;
  } = {},
): Promise<IdentityApp> {
  const events = new PostgresEventStore({
    postgres: database.app,
    pool: database.appPool,
    catalog: new EventCatalog(Object.values(userEvents)),
    log: silentLog,
  });
  const keys = options.keys ?? new DataKeys(database.appPool, new MasterKeys(randomBytes(KEY_BYTES), []));
  const app = await createHttpApp(appModule(database, { events, keys }, { ...tokenOptions, ...options.tokens }), {
    log: silentLog,
    rateLimiter: options.rateLimiter,
  });
  await app.init();
  const authorized = (token?: string) => (token === undefined ? {} : { authorization: `Bearer ${token}` });
  return {
    app,
    events,
    post: (path, body, token) =>
      app.inject({
        method: 'POST',
        url: `/api/v1${path}`,
        headers: { 'content-type': 'application/json', ...authorized(token) },
        ...(body !== undefined && { payload: JSON.stringify(body) }),
      }),
    get: (path, token) => app.inject({ method: 'GET', url: `/api/v1${path}`, headers: authorized(token) }),
    close: async () => {
      await app.close();
      await events.close();
    },
  };
}

function appModule(
  database: TestDatabase,
  { events, keys }: { events: EventStore; keys: Pick<DataKeys, 'destroy'> },
  tokens: typeof tokenOptions,
): DynamicModule {
  class Shared {}
  class Root {}
  Global()(Shared);
  const providers = [
    { provide: EventStore, useValue: events },
    { provide: DataKeys, useValue: keys },
  ];
  Module({ providers, exports: [EventStore, DataKeys] })(Shared);
  const identity = IdentityModule.forRoot({
    database: database.app,
    tokens,
    refreshGraceMs: REFRESH_GRACE_MS,
    log: silentLog,
  });
  return { module: Root, imports: [Shared, identity] };
}

/** As if the grace period of the last exchanged refresh token were over. */
export async function afterTheGrace(database: TestDatabase, userId: string): Promise<void> {
  await database.ownerPool.query(
    `update identity.sessions set rotated_at = rotated_at - $2 * interval '1 millisecond' where user_id = $1`,
    [userId, REFRESH_GRACE_MS],
  );
}
