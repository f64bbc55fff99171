import { Unavailable } from '../../kernel/errors.js';
import { isSqlState } from '../telemetry/error-facts.js';

/**
 * SQLSTATEs that are about the server, not the statement (PostgreSQL manual, appendix A): 08 connection, 53 out of
 * resources, 57P0x shutdown or start-up, 57014 cancelled by statement_timeout, 55P03 lock timeout, 25P03 idle in
 * transaction, 25006 a standby after a failover, 40P01 deadlock, 58 disk of the server.
 */
const OUTAGE_SQLSTATE = /^(08...|53...|57P0.|57014|55P03|25P03|25006|40P01|58...)$/;

/** SQLSTATEs after which it is unknown whether the statement took effect. An error without one may mean the same. */
const AMBIGUOUS_SQLSTATE = /^(08...|57P0.)$/;

const OUTAGE_ERRNO = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);

/** pg gives these errors no code. */
const OUTAGE_MESSAGE =
  /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/;

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
};

const messageOf = (error: unknown): string => {
  const message = (error as { message?: unknown } | null)?.message;
  return typeof message === 'string' ? message : '';
};

const isBrokenConnection = (error: unknown): boolean =>
  OUTAGE_ERRNO.has(codeOf(error)) || OUTAGE_MESSAGE.test(messageOf(error));

/** Whether Postgres is unavailable, overloaded or locked: the statement itself may be correct. */
export const isOutage = (error: unknown): boolean =>
  error instanceof Unavailable || OUTAGE_SQLSTATE.test(codeOf(error)) || isBrokenConnection(error);

/** Whether the connection broke so that the statement may or may not have been committed. */
export const isAmbiguous = (error: unknown): boolean =>
  AMBIGUOUS_SQLSTATE.test(codeOf(error)) || isBrokenConnection(error);

/** The SQLSTATE of a server error, '' for any other error. */
export const sqlStateOf = (error: unknown): string => (isSqlState(codeOf(error)) ? codeOf(error) : '');

/** Runs work against Postgres and turns outages into Unavailable; every other error passes. */
export async function reportingOutages<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asUnavailable(error);
  }
}

/** An outage as Unavailable, any other error unchanged. */
export function asUnavailable(error: unknown): unknown {
  if (error instanceof Unavailable || !isOutage(error)) return error;
  return new Unavailable('postgres', 'Postgres does not respond', { cause: error });
}
