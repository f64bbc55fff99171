import { STATUS_CODES } from 'node:http';

import { DomainError, type FieldFault, InvalidFields, Unavailable, VersionConflict } from '../kernel/errors.js';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json; charset=utf-8';

/** Retry-After of a 503 while a dependency is unavailable. */
const OUTAGE_RETRY_AFTER_SECONDS = 1;

/** A body with a thousand unknown fields must not produce a thousand errors. */
export const FIELD_ERRORS_MAX = 50;

/** `field` as the client sent it; `value` is truncated and never a secret. */
export type FieldError = FieldFault;

/** The body of every error (RFC 9457), with the members that clients of the original know: error, details, … */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly request_id: string;
  readonly error: string;
  readonly details?: unknown;
  readonly validation_errors?: readonly FieldError[];
  readonly retry_after?: number;
}

/** An error response without the data of its request. */
export interface Failure {
  readonly status: number;
  /** Becomes the last part of `type`. */
  readonly code: string;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly details?: unknown;
  readonly validationErrors?: readonly FieldError[];
  readonly retryAfterSeconds?: number;
  /** Set for errors in the server: logged, never sent to the client. */
  readonly bug?: unknown;
}

/** An error that belongs to HTTP alone (405, 412, 415, 422, …) and not to the domain. */
export class HttpProblem extends Error implements Failure {
  readonly headers?: Readonly<Record<string, string>>;
  readonly details?: unknown;
  readonly validationErrors?: readonly FieldError[];
  readonly retryAfterSeconds?: number;

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    more: Pick<Failure, 'headers' | 'details' | 'validationErrors' | 'retryAfterSeconds'> = {},
  ) {
    super(detail);
    this.name = 'HttpProblem';
    Object.assign(this, more);
  }
}

const STATUS_OF_KIND = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  precondition_failed: 412,
  too_many: 429,
} as const satisfies Record<DomainError['kind'], number>;

/** Responses to Fastify's own errors; all other Fastify errors are mapped by their status. */
const FASTIFY_FAILURES: Readonly<Record<string, Omit<Failure, 'headers'>>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, code: 'body_too_large', detail: 'Request body is too large' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { status: 415, code: 'unsupported_media_type', detail: 'Unsupported media type' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { status: 400, code: 'malformed_request', detail: 'Malformed request' },
  FST_ERR_BAD_URL: { status: 400, code: 'malformed_url', detail: 'Malformed URL' },
};

/** Maps any error to its response. An unknown error is a bug: a 500 without its details. */
export function failureOf(error: unknown): Failure {
  if (error instanceof HttpProblem) return error;
  if (error instanceof DomainError) return domainFailure(error);
  if (error instanceof Unavailable) return outage(error);
  if (error instanceof VersionConflict) {
    return { status: 409, code: 'version_conflict', detail: 'Changed by someone else in the meantime' };
  }
  return fastifyFailure(error) ?? httpExceptionFailure(error) ?? bug(error);
}

/** A 429 also has `retry_after` in its body, for clients that do not read headers. */
function domainFailure(error: DomainError): Failure {
  const retryAfter = error.kind === 'too_many' ? Number(error.details?.['retry_after'] ?? 1) : undefined;
  return {
    status: STATUS_OF_KIND[error.kind],
    code: error.code,
    detail: error.message,
    ...(error.details !== undefined && { details: error.details }),
    ...(error instanceof InvalidFields && { validationErrors: error.fields.slice(0, FIELD_ERRORS_MAX) }),
    ...(retryAfter !== undefined && { retryAfterSeconds: retryAfter }),
  };
}

function outage(error: Unavailable): Failure {
  return {
    status: 503,
    code: 'unavailable',
    detail: 'Service temporarily unavailable',
    details: { dependency: error.dependency },
    retryAfterSeconds: OUTAGE_RETRY_AFTER_SECONDS,
  };
}

const propertyOf = (error: unknown, name: string): unknown =>
  typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined;

/** Fastify's errors arrive directly, or as the cause of Nest's HttpException. */
function fastifyFailure(error: unknown): Failure | undefined {
  const candidates = [error, propertyOf(error, 'cause')];
  for (const candidate of candidates) {
    const code = propertyOf(candidate, 'code');
    if (typeof code !== 'string' || !code.startsWith('FST_')) continue;
    const known = FASTIFY_FAILURES[code];
    if (known) return known;
    const status = propertyOf(candidate, 'statusCode');
    if (isClientStatus(status)) return byStatus(status);
  }
  return undefined;
}

/** Nest's HttpException and similar errors. Their text comes from a framework, so the client gets the status phrase. */
function httpExceptionFailure(error: unknown): Failure | undefined {
  const getStatus = propertyOf(error, 'getStatus');
  const status = typeof getStatus === 'function' ? (error as { getStatus(): unknown }).getStatus() : undefined;
  const found = status ?? propertyOf(error, 'statusCode');
  return isClientStatus(found) ? byStatus(found) : undefined;
}

const isClientStatus = (status: unknown): status is number =>
  typeof status === 'number' && status >= 400 && status < 500;

function byStatus(status: number): Failure {
  const phrase = STATUS_CODES[status] ?? 'Bad Request';
  return { status, code: phrase.toLowerCase().replaceAll(/[^a-z]+/g, '_'), detail: phrase };
}

const bug = (error: unknown): Failure => ({
  status: 500,
  code: 'internal_error',
  detail: 'Internal server error',
  bug: error,
});

/** @param instance the requested path without its query, which may contain data that must not be logged */
export function problemOf(failure: Failure, request: { instance: string; requestId: string }): Problem {
  return {
    type: `urn:voidrunner:problem:${failure.code}`,
    title: STATUS_CODES[failure.status] ?? 'Error',
    status: failure.status,
    detail: failure.detail,
    instance: request.instance,
    request_id: request.requestId,
    error: failure.detail,
    ...(failure.details !== undefined && { details: failure.details }),
    ...(failure.validationErrors !== undefined && { validation_errors: failure.validationErrors }),
    ...(failure.status === 429 && { retry_after: failure.retryAfterSeconds ?? 1 }),
  };
}

/** RFC 9110, section 15.5.2: a 401 names the authentication scheme. */
export const BEARER_CHALLENGE = 'Bearer realm="voidrunner"';

export function headersOf(failure: Failure): Record<string, string> {
  return {
    ...(failure.status === 401 && { 'www-authenticate': BEARER_CHALLENGE }),
    ...(failure.retryAfterSeconds !== undefined && { 'retry-after': String(failure.retryAfterSeconds) }),
    ...failure.headers,
  };
}
