import type { Execution, OutputStream } from './api-objects.js';

/** An execution that has ended: the object of the API, with what most callers ask for. */
export interface RunResult extends Execution {
  /** Whether the program returned 0; with tests, whether all of them were accepted. */
  readonly ok: boolean;
  /** `stdout`, and '' if there is none. */
  readonly text: string;
  /** `stderr`, and '' if there is none. A program that does not compile: what the compiler says. */
  readonly errorText: string;
  /** The stored bytes of an output, which `text` shows as UTF-8. */
  bytes(stream: OutputStream): Promise<Uint8Array>;
  /** The content of a file that the run kept (`files`). */
  file(path: string): Promise<Uint8Array>;
}

export interface ResultReader {
  output(id: string, stream: OutputStream): Promise<Uint8Array>;
  file(id: string, path: string): Promise<Uint8Array>;
}

/** The additions are not enumerable: as JSON, a result is the execution. */
export function runResultOf(execution: Execution, reader: ResultReader): RunResult {
  const { id, status, verdict, test_count, stdout, stderr, compile, termination_reason } = execution;
  const additions = {
    ok: status === 'completed' && (test_count === 0 || verdict === 'accepted'),
    text: stdout ?? '',
    errorText: (termination_reason === 'compile' ? compile?.stderr : stderr) ?? '',
    bytes: (stream: OutputStream) => reader.output(id, stream),
    file: (path: string) => reader.file(id, path),
  };
  const properties = Object.entries(additions).map(([name, value]) => [name, { value }] as const);
  return Object.defineProperties({ ...execution }, Object.fromEntries(properties)) as RunResult;
}
