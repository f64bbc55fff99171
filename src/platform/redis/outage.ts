import { Unavailable } from '../../kernel/errors.js';

/** Error replies of a Redis that is up but cannot serve now. */
const OUTAGE_REPLIES = new Set([
  'LOADING',
  'READONLY',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'NOREPLICAS',
  'MISCONF',
  'OOM',
  'BUSY',
  'UNBLOCKED',
]);

const OUTAGE_NAMES = new Set(['MaxRetriesPerRequestError', 'AbortError', 'ClusterAllFailedError']);

const OUTAGE_CODE = /^(ECONN\w+|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH)$/;

// ioredis throws these as plain Errors; only the message distinguishes them from a bug.
const OUTAGE_MESSAGE =
  /^(Connection is closed|Command timed out|Stream isn't writeable|Socket timeout|Command aborted due to|connect ETIMEDOUT)/;

/** True if Redis is unavailable, overloaded or not yet ready; false for a bug of ours. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'ReplyError') return OUTAGE_REPLIES.has(error.message.split(' ', 1)[0] ?? '');
  const { code } = error as NodeJS.ErrnoException;
  return (
    OUTAGE_NAMES.has(error.name) || OUTAGE_MESSAGE.test(error.message) || (code !== undefined && OUTAGE_CODE.test(code))
  );
}

/** Awaits work on Redis. An outage becomes `Unavailable`; any other error is unchanged. */
export async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isOutage(error)) throw new Unavailable('redis', 'Redis does not respond', { cause: error });
    throw error;
  }
}
