import {
  ApiError,
  AuthenticationError,
  ConnectionError,
  NotFoundError,
  RateLimitError,
  VoidRunnerError,
} from '@voidrunner/client';

import { EXIT_FAULTS, EXIT_UNABLE } from '../../exit-codes.js';
import { Failure } from '../../failure.js';
import { printable } from '../terminal/text.js';

/** What a person is told of an error of the client. @returns null for other errors */
export function failureOf(error: unknown, url: string): Failure | null {
  if (!(error instanceof VoidRunnerError)) return null;
  return new Failure(printable(messageOf(error, url)), error instanceof NotFoundError ? EXIT_FAULTS : EXIT_UNABLE);
}

function messageOf(error: VoidRunnerError, url: string): string {
  if (error instanceof ConnectionError) {
    return `cannot reach ${url}${codeOf(error)}: is the server running? --server or VOIDRUNNER_URL names another one`;
  }
  if (error instanceof AuthenticationError) {
    if (error.code === 'invalid_credentials') return `${url} refuses the login: ${error.message}`;
    return `${url} refuses the API key (${error.code}): run "voidrunner login", or correct VOIDRUNNER_API_KEY`;
  }
  if (error instanceof RateLimitError) {
    const { retryAfterSeconds } = error;
    return `${error.message} (429)${retryAfterSeconds === null ? '' : `: try again in ${retryAfterSeconds} s`}`;
  }
  if (error instanceof ApiError) return error.message;
  return `${url} does not respond like a VoidRunner server: ${error.message}`;
}

/** The reason of Node's `fetch`, for example ECONNREFUSED. */
function codeOf({ cause }: ConnectionError): string {
  const { code } = ((cause as Error | undefined)?.cause ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? ` (${code})` : '';
}
