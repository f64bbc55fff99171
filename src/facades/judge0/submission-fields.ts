import { HttpProblem } from '../../http/problem.js';

/** The attributes of a submission, as Judge0 lists them. */
export const FIELDS = [
  'source_code',
  'language_id',
  'stdin',
  'expected_output',
  'stdout',
  'status_id',
  'created_at',
  'finished_at',
  'time',
  'memory',
  'stderr',
  'token',
  'number_of_runs',
  'cpu_time_limit',
  'cpu_extra_time',
  'wall_time_limit',
  'memory_limit',
  'stack_limit',
  'max_processes_and_or_threads',
  'enable_per_process_and_thread_time_limit',
  'enable_per_process_and_thread_memory_limit',
  'max_file_size',
  'compile_output',
  'exit_code',
  'exit_signal',
  'message',
  'wall_time',
  'compiler_options',
  'command_line_arguments',
  'redirect_stderr_to_stdout',
  'callback_url',
  'additional_files',
  'enable_network',
  'started_at',
  'queued_at',
  'updated_at',
  'queue_host',
  'execution_host',
  'status',
  'language',
] as const;
export type Field = (typeof FIELDS)[number];

export const DEFAULT_FIELDS = [
  ...(['token', 'time', 'memory', 'stdout', 'stderr', 'compile_output', 'message', 'status'] as const),
] satisfies readonly Field[];

const isField = (name: string): name is Field => (FIELDS as readonly string[]).includes(name);

/** @param sent `status,time`; `*`: all. @throws HttpProblem 400 */
export function fieldsIn(sent: unknown): readonly Field[] {
  const names = typeof sent === 'string' ? sent.split(',').map((name) => name.trim()) : [];
  const named = names.filter((name) => name !== '');
  if (named.length === 0) return DEFAULT_FIELDS;
  if (named.includes('*')) return FIELDS;
  const invalid = named.filter((name) => !isField(name));
  if (invalid.length > 0) throw badRequest(`invalid fields: [${invalid.join(', ')}]`);
  return [...new Set(named.filter(isField))];
}

export const badRequest = (error: string): HttpProblem => new HttpProblem(400, 'judge0_request_refused', error);

/** How a client asks for submissions. */
export interface Shape {
  readonly fields: readonly Field[];
  /** Whether texts are sent in base64. */
  readonly isBase64: boolean;
  /** Of each text; as long as it is by default. */
  readonly textBytesMax?: number;
}

/** Of a query. Judge0 ignores those that it does not know. */
export type Params = Readonly<Record<string, unknown>>;

export const isTrue = (value: unknown): boolean => value === 'true';

/** @throws HttpProblem 400 */
export const shapeIn = ({ fields, base64_encoded }: Params): Shape => ({
  fields: fieldsIn(fields),
  isBase64: isTrue(base64_encoded),
});
