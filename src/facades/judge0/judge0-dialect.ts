import type { Dialect } from '../../http/dialect.js';
import type { Failure } from '../../http/problem.js';

export const JUDGE0_PREFIX = '/judge0';

/** The errors of each field, as Rails' validations write them. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>;

/** The code of a failure whose details are the errors of fields. */
export const INVALID_SUBMISSION = 'invalid_submission';

/** Judge0's documents: an `error` text, or the texts of each field with a 422. */
export const judge0Dialect: Dialect = {
  prefix: JUDGE0_PREFIX,
  // Its own header, and that of RapidAPI, through which most clients reach Judge0's public instance.
  keyHeaders: ['x-auth-token', 'x-rapidapi-key'],
  errorOf: (failure) => {
    if (failure.code === INVALID_SUBMISSION) return { status: 422, body: failure.details };
    const fields = fieldErrorsOf(failure.validationErrors ?? []);
    return Object.keys(fields).length > 0
      ? { status: 422, body: fields }
      : { status: failure.status, body: { error: failure.detail } };
  },
};

/** The fields of a one-shot, by the names of Judge0's. */
const FIELDS: readonly (readonly [RegExp, string])[] = [
  [/^script_content/, 'source_code'],
  [/^script_type/, 'language_id'],
  [/^input\.stdin/, 'stdin'],
  [/^input\.args/, 'command_line_arguments'],
  [/^input\.files/, 'additional_files'],
  [/^tests/, 'expected_output'],
  [/^timeout_seconds/, 'wall_time_limit'],
  [/^limits\.cpu_time_seconds/, 'cpu_time_limit'],
  [/^limits\.memory_mb/, 'memory_limit'],
  [/^limits\.pids/, 'max_processes_and_or_threads'],
  [/^limits\.output_bytes/, 'max_file_size'],
];

/** Of what the service's own checks refuse. */
export function fieldErrorsOf(faults: NonNullable<Failure['validationErrors']>): FieldErrors {
  const errors: Record<string, string[]> = {};
  for (const { field, message } of faults) {
    const name = FIELDS.find(([pattern]) => pattern.test(field))?.[1] ?? (field === '' ? 'base' : field);
    (errors[name] ??= []).push(message);
  }
  return errors;
}
