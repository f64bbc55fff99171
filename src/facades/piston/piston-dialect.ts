import type { Dialect } from '../../http/dialect.js';
import type { Failure } from '../../http/problem.js';

export const PISTON_PREFIX = '/piston';

/** Piston's documents: an error has a `message`. Its only texts for HTTP itself are those of its own source. */
export const pistonDialect: Dialect = {
  prefix: PISTON_PREFIX,
  keyHeaders: [],
  errorOf: (failure) => ({ status: failure.status, body: { message: messageOf(failure) } }),
};

function messageOf({ status, detail, validationErrors = [] }: Failure): string {
  if (status === 415) return 'requests must be of type application/json';
  if (validationErrors.length === 0) return detail;
  return validationErrors.map(({ field, message }) => `${namedAsSent(field)} ${message}`).join('; ');
}

/** The fields of a one-shot, by the names of Piston's. The first file is the script. */
function namedAsSent(field: string): string {
  if (field === 'script_content') return 'files[0].content';
  return field
    .replace(/^input\.files\.(\d+)/, (_, index: string) => `files[${Number(index) + 1}]`)
    .replace(/^input\./, '')
    .replace(/^timeout_seconds$/, 'run_timeout')
    .replace(/^limits\.cpu_time_seconds$/, 'run_cpu_time')
    .replace(/^limits\.memory_mb$/, 'run_memory_limit')
    .replace(/\.path$/, '.name');
}
