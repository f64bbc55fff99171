import type { Config } from '../config/load-config.js';
import type { PostgresOptions } from '../platform/postgres/pool.js';

/** The names of the subscriptions and of their checkpoints. */
export const PROJECTOR = 'projector';
export const ORCHESTRATOR = 'orchestrator';
export const DEAD_LETTERS = 'dead_letters';
export const WEBHOOKS = 'webhooks';

/** @param part of the service, shown in pg_stat_activity */
export const postgresOptions = (config: Config, part: string): PostgresOptions => ({
  host: config.DB_HOST,
  port: config.DB_PORT,
  database: config.DB_NAME,
  user: config.DB_USER,
  password: config.DB_PASSWORD,
  sslMode: config.DB_SSL_MODE,
  applicationName: `voidrunner ${part}`,
});
