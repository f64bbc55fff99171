import { Client, type ClientConfig, type CustomTypesConfig, Pool, types } from 'pg';

import type { Log } from '../telemetry/log.js';

export type SslMode = 'disable' | 'require' | 'verify-full';

export interface PostgresOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly sslMode?: SslMode;
  /** Shown in pg_stat_activity: which part of which process holds a connection. */
  readonly applicationName: string;
  /** The server cancels a statement that takes longer; 0: never. */
  readonly statementTimeoutMs?: number;
  /** A server that owes a response for longer counts as dead; default: the statement timeout plus 5 s; 0: never. */
  readonly responseTimeoutMs?: number;
  /** A statement that waits longer for a lock fails; 0: never. */
  readonly lockTimeoutMs?: number;
  /** Sends a query without waiting for the previous result: for a client whose queries are independent. */
  readonly pipeline?: boolean;
  /** Session settings, from its start. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface PoolOptions extends PostgresOptions {
  /** Connections at most. */
  readonly size?: number;
  /** A connection unused for this long is closed; 0: never. */
  readonly idleTimeoutMs?: number;
  readonly log?: Log;
}

export const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
export const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;
/** Added to the statement timeout: after that the server counts as dead, not slow. */
const SERVER_SILENCE_MS = 5_000;
const POOL_SIZE = 10;
const IDLE_CONNECTION_MS = 30_000;

type TypeParser = (value: never) => unknown;

const INT8_OID = types.builtins.INT8;

/**
 * int8 as BigInt, only for connections created here: positions may exceed what a double holds, and the global parser
 * table of pg is shared. Note that `count(*)` is an int8 too.
 */
const parsers: CustomTypesConfig = {
  getTypeParser: (oid, format): TypeParser => {
    if (oid === INT8_OID && format !== 'binary') return BigInt;
    return (format === 'binary' ? types.getTypeParser(oid, format) : types.getTypeParser(oid)) as TypeParser;
  },
};

/** How long a server may owe a response; 0: without limit. */
export function responseTimeoutMsOf({
  responseTimeoutMs,
  statementTimeoutMs = STATEMENT_TIMEOUT_MS,
}: PostgresOptions): number {
  return responseTimeoutMs ?? (statementTimeoutMs === 0 ? 0 : statementTimeoutMs + SERVER_SILENCE_MS);
}

function clientConfig(options: PostgresOptions): ClientConfig {
  const responseTimeoutMs = responseTimeoutMsOf(options);
  const {
    statementTimeoutMs = STATEMENT_TIMEOUT_MS,
    lockTimeoutMs = 0,
    sslMode = 'disable',
    settings,
    pipeline,
  } = options;
  return {
    host: options.host,
    port: options.port,
    database: options.database,
    user: options.user,
    password: options.password,
    application_name: options.applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
    types: parsers,
    ssl: sslMode === 'disable' ? false : { rejectUnauthorized: sslMode === 'verify-full' },
    ...(statementTimeoutMs > 0 && { statement_timeout: statementTimeoutMs }),
    ...(responseTimeoutMs > 0 && { query_timeout: responseTimeoutMs }),
    ...(lockTimeoutMs > 0 && { lock_timeout: lockTimeoutMs }),
    ...(pipeline && { pipeline }),
    ...(settings && {
      options: Object.entries(settings)
        .map(([name, value]) => `-c ${name}=${value}`)
        .join(' '),
    }),
  };
}

/** A pool in which a broken idle connection does not end the process. Call `end()` when done. */
export function createPool(options: PoolOptions): Pool {
  const pool = new Pool({
    ...clientConfig(options),
    max: options.size ?? POOL_SIZE,
    idleTimeoutMillis: options.idleTimeoutMs ?? IDLE_CONNECTION_MS,
  });
  // Without a listener the loss of an idle connection ends the process; the pool replaces the connection itself. A
  // connection that is checked out loses the listener of the pool: its user learns of the loss from a statement.
  pool.on('error', (error) => options.log?.warn({ err: error, pool: options.applicationName }, 'connection lost'));
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/**
 * Its own connection, not yet connected, for LISTEN and session locks. Listen for 'error' and 'end'; call `end()` when
 * done.
 */
export function createClient(options: PostgresOptions): Client {
  return new Client(clientConfig(options));
}
