import type { z } from 'zod';

import { FIELD_ERRORS_MAX, type FieldError } from '../problem.js';

const VALUE_CHARS_MAX = 64;
const FIELD_CHARS_MAX = 256;
const MESSAGE_CHARS_MAX = 256;

/** Values at or below members with these names are never sent back. */
const SECRET_NAMES = new Set([
  'password',
  'current_password',
  'new_password',
  'token',
  'refresh_token',
  'access_token',
  'script_content',
  'script',
  'stdin',
  'stdin_base64',
  'stdout',
  'stderr',
  'args',
  'env',
  'files',
  'file',
  'content',
  'cursor',
]);

/** @param sent what the client sent, so that `value` shows the original, not the result of a transform */
export function fieldErrorsOf(issues: readonly z.core.$ZodIssue[], sent: unknown): FieldError[] {
  const errors: FieldError[] = [];
  for (const issue of issues) {
    for (const error of errorsOf(issue, sent)) {
      if (errors.length === FIELD_ERRORS_MAX) return errors;
      errors.push(error);
    }
  }
  return errors;
}

function* errorsOf(issue: z.core.$ZodIssue, sent: unknown): Generator<FieldError> {
  if (issue.code === 'unrecognized_keys') {
    // Its value stays out: a misspelt `password` is a password.
    for (const key of issue.keys) yield fieldError([...issue.path, key], '', 'unknown', 'Unknown field');
    return;
  }
  const { path } = issue;
  const value = at(sent, path);
  yield fieldError(path, shown(path, value), tagOf(issue, value), value === undefined ? 'Required' : issue.message);
}

function fieldError(path: readonly PropertyKey[], value: string, tag: string, message: string): FieldError {
  return {
    field: fieldNameOf(path),
    value,
    tag,
    message: clipped(message, MESSAGE_CHARS_MAX),
  };
}

/** The name of a member at any depth: `retry.max_attempts`. */
export const fieldNameOf = (path: readonly PropertyKey[]): string =>
  clipped(path.map(String).join('.'), FIELD_CHARS_MAX);

/** Cut without leaving half of a surrogate pair. */
const clipped = (text: string, chars: number): string => text.slice(0, chars).toWellFormed();

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let inner = value;
  for (const key of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, key)) return undefined;
    inner = (inner as Record<PropertyKey, unknown>)[key];
  }
  return inner;
}

function shown(path: readonly PropertyKey[], value: unknown): string {
  if (value === undefined) return '';
  if (path.some((key) => SECRET_NAMES.has(String(key)))) return '[redacted]';
  // An object can contain anything, so only its kind is shown.
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[array]' : '[object]';
  return clipped(typeof value === 'string' ? value : JSON.stringify(value), VALUE_CHARS_MAX);
}

/** Uses the tags of the original service's validator where they exist. */
function tagOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (value === undefined) return 'required';
  switch (issue.code) {
    case 'invalid_type':
      return 'type';
    case 'too_small':
      return 'min';
    case 'too_big':
      return 'max';
    case 'invalid_value':
      return 'oneof';
    case 'invalid_format':
      return issue.format;
    case 'custom':
      return typeof issue.params?.['tag'] === 'string' ? issue.params['tag'] : 'invalid';
    default:
      return 'invalid';
  }
}
