import { isUtf8 } from 'node:buffer';

import { floorOf } from '../../runtimes/runtime.js';
import { type ConfigInfo, OPTIONS_CHARS_MAX } from './config-info.js';
import type { UnpackedFile } from './additional-files.js';
import { wordsOf } from './command-line.js';
import type { Language } from './languages.js';
import { isPresent, textOf } from './scalars.js';
import { SubmissionErrors } from './submission-errors.js';
import { SUBMISSION_MARK, type SubmissionSettings, settingsIn } from './submission-settings.js';

/** A submission that was checked, before its archive is unpacked. */
export interface Submission {
  readonly language: Language;
  readonly source: string;
  readonly stdin: Stdin;
  readonly expected: string | null;
  readonly args: readonly string[];
  /** A zip archive. */
  readonly archive: Buffer | null;
  /** Whether it may be called is not checked yet. */
  readonly callbackUrl: string | null;
  readonly settings: SubmissionSettings;
}

type Stdin = { readonly stdin?: string; readonly stdin_base64?: string };
type Body = Readonly<Record<string, unknown>>;

interface Known {
  readonly languages: ReadonlyMap<number, Language>;
  readonly config: ConfigInfo;
  /** Whether source_code, stdin and expected_output are in base64. */
  readonly isBase64: boolean;
}

/** Members that Judge0 does not have are ignored, as it does. @throws HttpProblem 422 with the errors of each field */
export function submissionIn(sent: unknown, { languages, config, isBase64 }: Known): Submission {
  const body = (typeof sent === 'object' && sent !== null ? sent : {}) as Body;
  const errors = new SubmissionErrors();
  const language = languageIn(body, languages, errors);
  const text = (name: string): string | null => textIn(body, name, isBase64, errors);
  const source = text('source_code');
  if (source === null || source.trim() === '') errors.add('source_code', "can't be blank");
  const settings = settingsIn(body, config, errors);
  const args = argsIn(body, errors);
  refuseUnsupported(body, errors);
  const callbackUrl = isPresent(body['callback_url']) ? textOf(body['callback_url']) : null;
  const expected = text('expected_output');
  const submission = { source, stdin: stdinIn(body, isBase64), expected, args, settings, callbackUrl };
  const archive = textOf(body['additional_files'])?.trim() ?? '';
  errors.throwIfAny();
  return { ...submission, source: source!, language: language!, archive: archive === '' ? null : base64In(archive) };
}

/** Line breaks and other characters do not count, as Ruby decodes it. */
const base64In = (text: string): Buffer => Buffer.from(text, 'base64');

function languageIn(body: Body, languages: Known['languages'], errors: SubmissionErrors): Language | undefined {
  const sent = body['language_id'];
  if (!isPresent(sent)) {
    errors.add('language_id', "can't be blank");
    return undefined;
  }
  const id = Number(sent);
  const language = languages.get(id);
  if (!language) errors.add('language_id', `language with id ${Number.isSafeInteger(id) ? id : 0} doesn't exist`);
  return language;
}

function textIn(body: Body, name: string, isBase64: boolean, errors: SubmissionErrors): string | null {
  const sent = textOf(body[name]);
  if (sent === null || !isBase64) return sent;
  const bytes = base64In(sent);
  if (!isUtf8(bytes)) errors.add(name, 'must be UTF-8');
  return bytes.toString('utf8');
}

function stdinIn(body: Body, isBase64: boolean): Stdin {
  const sent = textOf(body['stdin']) ?? '';
  if (sent === '') return {};
  return isBase64 ? { stdin_base64: base64In(sent).toString('base64') } : { stdin: sent };
}

function argsIn(body: Body, errors: SubmissionErrors): string[] {
  const line = textOf(body['command_line_arguments']) ?? '';
  if (line.length > OPTIONS_CHARS_MAX) errors.add('command_line_arguments', tooLong(OPTIONS_CHARS_MAX));
  return wordsOf(line);
}

const tooLong = (max: number): string => `is too long (maximum is ${max} characters)`;

/** They would change the outcome. The texts are Judge0's for an operator who forbids them. */
function refuseUnsupported(body: Body, errors: SubmissionErrors): void {
  const refuse = (name: string, message: string): void => {
    if (isPresent(body[name]) && body[name] !== 'false') errors.add(name, message);
  };
  if ((textOf(body['compiler_options']) ?? '').length > OPTIONS_CHARS_MAX)
    errors.add('compiler_options', tooLong(OPTIONS_CHARS_MAX));
  refuse('compiler_options', 'setting compiler options is not allowed');
  refuse('enable_network', 'enabling network is not allowed');
  refuse('enable_per_process_and_thread_time_limit', 'this option cannot be enabled');
  refuse('enable_per_process_and_thread_memory_limit', 'this option cannot be enabled');
  refuse('redirect_stderr_to_stdout', 'this option cannot be enabled');
}

const BYTES_PER_KIB = 1_024;
const KIB_PER_MIB = 1_024;
/** The least that a task may have. */
const SECONDS_LEAST = 0.1;
const OUTPUT_BYTES_LEAST = 1_024;

/** Of the submission's task. */
const metadataOf = ({ language, settings }: Pick<Submission, 'language' | 'settings'>) => ({
  ...SUBMISSION_MARK,
  language_id: language.id,
  ...settings,
});

/**
 * The body of `POST /executions` for the same run. The expected output is a test of the task.
 * @param files of the archive; one at the path of the source is left out, as `unzip -n` does
 */
export function oneShotOf(submission: Submission, files: readonly UnpackedFile[], config: ConfigInfo) {
  const { language, source, stdin, expected, args, settings, callbackUrl } = submission;
  const { runtime } = language;
  const input = {
    ...stdin,
    ...(args.length > 0 && { args }),
    ...(files.length > 0 && { files: files.filter(({ path }) => path !== runtime.file_name).map(inputFileOf) }),
  };
  return {
    name: `Judge0: ${runtime.name}`,
    script_type: runtime.name,
    script_content: source,
    metadata: metadataOf(submission),
    timeout_seconds: settings.wall_time_limit,
    limits: limitsOf(submission, config),
    ...(Object.keys(input).length > 0 && { input }),
    ...(expected !== null && { tests: [{ expected_stdout: expected }] }),
    ...(callbackUrl !== null && { webhook: { url: callbackUrl } }),
  };
}

const inputFileOf = ({ path, content }: UnpackedFile) => ({
  path,
  content: content.toString('base64'),
  encoding: 'base64' as const,
});

/** Values below the least of the runtime are raised to it. */
function limitsOf({ settings, language: { runtime } }: Submission, config: ConfigInfo) {
  const { cpu_time_limit, cpu_extra_time, memory_limit, max_processes_and_or_threads, max_file_size } = settings;
  const floor = floorOf(runtime);
  const cpuSeconds = Math.min(Math.max(cpu_time_limit + cpu_extra_time, SECONDS_LEAST), config.max_cpu_time_limit);
  return {
    memory_mb: Math.max(Math.ceil(memory_limit / KIB_PER_MIB), floor.memory_mb),
    pids: Math.max(Math.ceil(max_processes_and_or_threads), floor.pids),
    // As for isolate: 0 is no limit.
    cpu_time_seconds: cpu_time_limit === 0 ? null : cpuSeconds,
    output_bytes: Math.max(Math.floor(max_file_size * BYTES_PER_KIB), OUTPUT_BYTES_LEAST),
  };
}
