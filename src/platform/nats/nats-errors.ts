import { ErrorCode, NatsError } from 'nats';

import { Unavailable } from '../../kernel/errors.js';

/** JetStream API error codes (nats-server, server/errors.json). */
const STREAM_NOT_FOUND = 10059;
const CONSUMER_NOT_FOUND = 10014;
const MESSAGE_NOT_FOUND = 10037;
const WRONG_LAST_SEQUENCE = 10071;

const CLIENT_OUTAGES: ReadonlySet<string> = new Set([
  ErrorCode.Timeout,
  ErrorCode.NoResponders,
  ErrorCode.ConnectionClosed,
  ErrorCode.ConnectionDraining,
  ErrorCode.ConnectionRefused,
  ErrorCode.ConnectionTimeout,
  ErrorCode.Disconnect,
  ErrorCode.RequestError,
  ErrorCode.JetStreamNotEnabled,
  ErrorCode.AuthorizationViolation,
]);

const apiError = (error: unknown): { code: number; err_code?: number } | undefined =>
  error instanceof NatsError ? error.api_error : undefined;

export const isStreamMissing = (error: unknown): boolean => apiError(error)?.err_code === STREAM_NOT_FOUND;

export const isConsumerMissing = (error: unknown): boolean => apiError(error)?.err_code === CONSUMER_NOT_FOUND;

export const isMessageMissing = (error: unknown): boolean => apiError(error)?.err_code === MESSAGE_NOT_FOUND;

export const isWrongLastSequence = (error: unknown): boolean => apiError(error)?.err_code === WRONG_LAST_SEQUENCE;

/** Nothing accepted the message: the stream does not exist, or JetStream is not up yet. */
export const isNoResponders = (error: unknown): boolean =>
  error instanceof NatsError && error.code === ErrorCode.NoResponders;

export function isNatsOutage(error: unknown): boolean {
  if (error instanceof Unavailable) return true;
  if (!(error instanceof NatsError)) return false;
  return CLIENT_OUTAGES.has(error.code) || (apiError(error)?.code ?? 0) >= 500;
}

/** An outage of NATS as Unavailable, any other error unchanged. */
export function asNatsUnavailable(error: unknown): unknown {
  if (error instanceof Unavailable || !isNatsOutage(error)) return error;
  return new Unavailable('nats', 'NATS does not respond', { cause: error });
}
