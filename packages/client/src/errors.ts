import type { FieldError, Problem } from './api-objects.js';

/** The base of all errors of this package. A bad argument is a TypeError, and an abort is the signal's own reason. */
export class VoidRunnerError extends Error {
  override name = 'VoidRunnerError';
}

/** The service was not reached, or the connection broke, and no repeat helped. `cause` is the last error of `fetch`. */
export class ConnectionError extends VoidRunnerError {
  override name = 'ConnectionError';
}

/** A response that the API does not send, for example the page of a proxy. */
export class InvalidResponseError extends VoidRunnerError {
  override name = 'InvalidResponseError';
}

/** An error response of the API. */
export class ApiError extends VoidRunnerError {
  override name = 'ApiError';
  readonly status: number;
  /** What is wrong, for programs, such as `task_not_found`; `http_502` if the response names no code. */
  readonly code: string;
  /** What is wrong, for people. */
  readonly detail: string;
  /** The body of the response; null if it is not from the API. */
  readonly problem: Problem | null;
  /** Names this request in the logs of the service. */
  readonly requestId: string | null;

  constructor(response: Response, body: unknown, message?: string) {
    const problem = isProblem(body) ? body : null;
    const detail = problem?.detail ?? (response.statusText || `HTTP ${response.status}`);
    super(message ?? detail);
    this.status = response.status;
    // `urn:voidrunner:problem:<code>`
    this.code = problem?.type.split(':').at(-1) || `http_${response.status}`;
    this.detail = detail;
    this.problem = problem;
    this.requestId = problem?.request_id ?? response.headers.get('x-request-id');
  }
}

/** 400 or 422: the request is malformed. `errors` names the fields. */
export class ValidationError extends ApiError {
  override name = 'ValidationError';
  readonly errors: readonly FieldError[];

  constructor(response: Response, body: unknown) {
    const errors = isProblem(body) ? (body.validation_errors ?? []) : [];
    const faults = errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
    super(response, body, faults === '' || !isProblem(body) ? undefined : `${body.detail}: ${faults}`);
    this.errors = errors;
  }
}

/** 401: no credential, or one that is not valid any more. */
export class AuthenticationError extends ApiError {
  override name = 'AuthenticationError';
}

/** 403: not yours, or the API key lacks a scope. */
export class PermissionError extends ApiError {
  override name = 'PermissionError';
}

export class NotFoundError extends ApiError {
  override name = 'NotFoundError';
}

/** 409 or 412: the state of the object does not allow it. */
export class ConflictError extends ApiError {
  override name = 'ConflictError';
}

/** 429, after the repeats: a rate limit, a quota, or too many requests at once. */
export class RateLimitError extends ApiError {
  override name = 'RateLimitError';
  /** Null if the service does not say. */
  readonly retryAfterSeconds: number | null;

  constructor(response: Response, body: unknown, retryAfterSeconds: number | null) {
    super(response, body);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** 502, 503 or 504, after the repeats. */
export class UnavailableError extends ApiError {
  override name = 'UnavailableError';
}

function isProblem(body: unknown): body is Problem {
  if (typeof body !== 'object' || body === null) return false;
  const { type, detail } = body as Partial<Record<keyof Problem, unknown>>;
  return typeof type === 'string' && typeof detail === 'string';
}
