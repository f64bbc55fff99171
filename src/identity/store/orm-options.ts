import { ReflectMetadataProvider } from '@mikro-orm/decorators/legacy';
import { defineConfig } from '@mikro-orm/postgresql';

import {
  CONNECT_TIMEOUT_MS,
  IDLE_IN_TRANSACTION_TIMEOUT_MS,
  type PostgresOptions,
  responseTimeoutMsOf,
} from '../../platform/postgres/pool.js';
import { ApiKey, SecurityFact, Session, User } from './entities.js';

/** All statements of identity select by key: one that takes longer is stuck. */
const STATEMENT_TIMEOUT_MS = 5_000;
const POOL_SIZE = 4;
const IDLE_CONNECTION_MS = 30_000;

export interface IdentityDatabaseOptions extends PostgresOptions {
  readonly poolSize?: number;
}

/** MikroORM's options for identity: a separate small pool, no schema generator, no request context. */
export const ormOptions = (options: IdentityDatabaseOptions) =>
  defineConfig({
    host: options.host,
    port: options.port,
    dbName: options.database,
    user: options.user,
    password: options.password,
    entities: [User, Session, ApiKey, SecurityFact],
    metadataProvider: ReflectMetadataProvider,
    metadataCache: { enabled: false },
    // The default logger prints failed statements with their parameter values.
    logger: () => undefined,
    pool: { min: 0, max: options.poolSize ?? POOL_SIZE, idleTimeoutMillis: IDLE_CONNECTION_MS },
    driverOptions: {
      application_name: options.applicationName,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: responseTimeoutMsOf({ ...options, statementTimeoutMs: STATEMENT_TIMEOUT_MS }),
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
      keepAlive: true,
      ...(options.sslMode !== undefined &&
        options.sslMode !== 'disable' && { ssl: { rejectUnauthorized: options.sslMode === 'verify-full' } }),
    },
  });
