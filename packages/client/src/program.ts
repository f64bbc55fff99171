import type {
  ExecutionWebhook,
  Judge,
  Language,
  Limits,
  Retry,
  RunOnce,
  StartExecution,
  TestCase,
} from './api-objects.js';
import { type Content, type FilesOption, inputFilesOf, stdinOf } from './input-files.js';
import { defined } from './defined.js';

/** What a program gets. */
export interface InputOptions {
  /** Standard input: text, or bytes. */
  readonly stdin?: Content;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Files in the working folder, by their relative paths: text, or bytes. */
  readonly files?: FilesOption;
  /** Patterns of files to keep, such as `*.png`. */
  readonly outputs?: readonly string[];
  /** Whether standard input stays open, for `executions.sendStdin`. */
  readonly interactive?: boolean;
}

/** How it runs. Objects are those of the API. */
export interface ExecutionOptions extends InputOptions {
  /** Maximum wall time. */
  readonly timeoutSeconds?: number;
  readonly limits?: Limits;
  readonly priority?: number;
  readonly retry?: Retry;
  readonly tests?: readonly TestCase[];
  readonly judge?: Judge;
  /** Where its events are sent. */
  readonly webhook?: ExecutionWebhook;
}

export interface ProgramOptions extends ExecutionOptions {
  /** The name of the task, by default that of the language. */
  readonly name?: string;
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** The body that runs a program once, for `batches.create` and `http`. */
export function program(language: Language, code: string, options: ProgramOptions = {}): RunOnce {
  const { name = language, description, metadata } = options;
  return {
    name,
    // Operators may declare runtimes that the document does not list.
    script_type: language as RunOnce['script_type'],
    script_content: code,
    ...defined({ description, metadata }),
    ...executionFields(options),
  };
}

/** The body that starts an execution of a task. */
export const startOf = (options: ExecutionOptions & { readonly external?: boolean }): StartExecution => ({
  ...(options.external && { executor: 'external' as const }),
  ...executionFields(options),
});

function executionFields(options: ExecutionOptions) {
  const { timeoutSeconds, limits, priority, retry, tests, judge, webhook, ...input } = options;
  const fields = inputOf(input);
  return {
    ...defined({ limits, priority, retry, judge, webhook, timeout_seconds: timeoutSeconds }),
    ...(tests !== undefined && { tests: [...tests] }),
    ...(Object.keys(fields).length > 0 && { input: fields }),
  };
}

function inputOf({ stdin, args, env, files, outputs, interactive }: InputOptions) {
  return {
    ...stdinOf(stdin),
    ...(args !== undefined && { args: [...args] }),
    ...defined({ env, interactive }),
    ...(files !== undefined && { files: inputFilesOf(files) }),
    ...(outputs !== undefined && { outputs: [...outputs] }),
  };
}
