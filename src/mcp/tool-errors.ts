import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import {
  ApiError,
  AuthenticationError,
  ConnectionError,
  InvalidResponseError,
  NotFoundError,
  PermissionError,
  RateLimitError,
  UnavailableError,
  ValidationError,
} from '@voidrunner/client';
import type { z } from 'zod';

import { FAULTS_MAX } from './limits.js';
import { RunInterrupted } from './run-to-end.js';

/** A call that cannot be carried out, with a text that says what to change. */
export class ToolRefusal extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'ToolRefusal';
  }
}

export interface ToolFailure {
  /** For logs. */
  readonly code: string;
  /** For the model. */
  readonly text: string;
}

export const errorResult = ({ text }: ToolFailure): CallToolResult => ({
  isError: true,
  content: [{ type: 'text', text }],
});

/** Arguments that the schema of the tool refuses. */
export function argumentsRefused(tool: string, error: z.ZodError): ToolRefusal {
  const faults = error.issues.map(({ path, message }) => `${named(path)}: ${message}`);
  return new ToolRefusal('invalid_arguments', `Wrong arguments of ${tool}. ${listed(faults)}. Correct them.`);
}

const named = (path: readonly PropertyKey[]): string =>
  path.length === 0
    ? 'arguments'
    : path
        .map(String)
        .join('.')
        .replaceAll(/\.(\d+)/g, '[$1]');

const listed = (faults: readonly string[]): string =>
  faults.slice(0, FAULTS_MAX).join('; ') +
  (faults.length > FAULTS_MAX ? `; and ${faults.length - FAULTS_MAX} more` : '');

/**
 * What to tell the model about an error.
 * @param languages of the service, for an unknown one; empty if they are not known
 * @returns null for a bug
 */
export function failureOf(error: unknown, languages: readonly string[] = []): ToolFailure | null {
  if (error instanceof ToolRefusal) return { code: error.code, text: error.message };
  if (error instanceof RunInterrupted) return interrupted(error, languages);
  if (error instanceof ConnectionError || error instanceof InvalidResponseError || error instanceof UnavailableError) {
    return {
      code: 'unavailable',
      text: 'The service is not available right now. The same call may be repeated in a few seconds.',
    };
  }
  return error instanceof ApiError ? { code: error.code, text: textOf(error, languages) } : null;
}

function interrupted({ executionId, cause }: RunInterrupted, languages: readonly string[]): ToolFailure | null {
  const failure = failureOf(cause, languages);
  const goesOn = `Execution ${executionId} was started and goes on: get_execution reads its result. Do not start it again.`;
  return failure && { code: failure.code, text: `${failure.text} ${goesOn}` };
}

function textOf(error: ApiError, languages: readonly string[]): string {
  if (error instanceof ValidationError) return refusedFields(error, languages);
  if (error instanceof RateLimitError) {
    const when = error.retryAfterSeconds === null ? 'later' : `in ${error.retryAfterSeconds} s`;
    return `${error.detail} (${error.code}). Repeat the call ${when}.`;
  }
  if (error instanceof AuthenticationError) {
    return 'The service refuses the API key: it is wrong, expired or revoked. The user must configure a valid one.';
  }
  if (error instanceof PermissionError) return forbidden(error);
  if (error instanceof NotFoundError) return `${error.detail} (${error.code}). Check the id.`;
  return `The service refuses this: ${error.detail} (${error.code}).`;
}

function forbidden({ code, detail, problem }: PermissionError): string {
  const { scope } = (problem?.details ?? {}) as { scope?: unknown };
  if (typeof scope !== 'string') return `${detail} (${code}). Repeating the call does not help.`;
  return `The API key lacks the scope ${scope}. The user must create a key that has it; repeating does not help.`;
}

export const isUnknownLanguage = (error: unknown): boolean =>
  error instanceof ValidationError && error.errors.some(({ field }) => field === 'script_type');

function refusedFields(error: ValidationError, languages: readonly string[]): string {
  if (isUnknownLanguage(error)) {
    const choice = languages.length === 0 ? 'Names are in list_runtimes' : `Use one of: ${languages.join(', ')}`;
    return `The language is not known. ${choice}.`;
  }
  if (error.errors.length === 0) return `${error.detail} (${error.code}). Correct the arguments.`;
  const faults = error.errors.map(({ field, message }) => `${argumentOf(field)}: ${message}`);
  return `${error.detail}. ${listed(faults)}. Correct the arguments.`;
}

/** The names of the API's fields, as arguments of the tools. */
const argumentOf = (field: string): string =>
  field
    .replace(/^input\./, '')
    .replace(/^script_content$/, 'code')
    .replace(/^timeout_seconds$/, 'timeout')
    .replace(/^judge\.compare$/, 'compare')
    .replaceAll(/\.(\d+)/g, '[$1]');
