import { type Execution, hasEnded, type Language } from './api-objects.js';
import { never } from './delay.js';
import type { Http } from './http.js';
import type { CallOptions, PostOptions } from './options.js';
import { program, type ProgramOptions } from './program.js';
import { type ResultReader, type RunResult, runResultOf } from './run-result.js';
import type { FinishedTest } from './streaming/follow-events.js';
import { streamExecution, type StreamItem } from './streaming/stream-execution.js';
import { waitForEnd } from './streaming/wait-for-end.js';
import { postInit, unwrap } from './unwrap.js';

/** Called while the program runs. The next item waits for them; an error of theirs ends the call, not the execution. */
export interface LiveOptions {
  readonly onStdout?: (text: string, data: Uint8Array) => unknown;
  readonly onStderr?: (text: string, data: Uint8Array) => unknown;
  readonly onTest?: (test: FinishedTest) => unknown;
}

export type StartOptions = ProgramOptions & PostOptions;
export type RunOptions = StartOptions & LiveOptions;

/** Below the 60 s after which many proxies close a quiet connection; the API's maximum is 60. */
const WAIT_SECONDS = 50;

/** Starts executions and waits for their ends. */
export class Runner {
  constructor(
    private readonly http: Http,
    private readonly reader: ResultReader,
  ) {}

  async run(language: Language, code: string, options: RunOptions): Promise<RunResult> {
    const started = await this.start(language, code, options, isLive(options) ? 0 : WAIT_SECONDS);
    return this.resultOf(started, options);
  }

  start(language: Language, code: string, options: StartOptions, wait = 0): Promise<Execution> {
    const init = { body: program(language, code, options), ...postInit(options) };
    return unwrap(this.http.POST('/api/v1/executions', wait > 0 ? { ...init, params: { query: { wait } } } : init));
  }

  /** Follows what the options ask for, and waits for the end. */
  async resultOf(started: Execution, options: LiveOptions & CallOptions): Promise<RunResult> {
    if (isLive(options)) await this.follow(started.id, options);
    return hasEnded(started) ? runResultOf(started, this.reader) : this.wait(started.id, options);
  }

  async wait(id: string, { signal = never() }: CallOptions): Promise<RunResult> {
    return runResultOf(await waitForEnd(this.http, id, signal), this.reader);
  }

  private async follow(id: string, options: LiveOptions & CallOptions): Promise<void> {
    const { signal, onStdout, onStderr, onTest } = options;
    const handlers = { stdout: onStdout, stderr: onStderr, test: onTest };
    const types = (['stdout', 'stderr', 'test'] as const).filter((type) => handlers[type] !== undefined);
    for await (const item of streamExecution(this.http, id, { types, ...(signal && { signal }) })) {
      await this.deliver(item, options);
    }
  }

  private async deliver(item: StreamItem, { onStdout, onStderr, onTest }: LiveOptions): Promise<void> {
    if (item.type === 'stdout') await onStdout?.(item.text, item.data);
    else if (item.type === 'stderr') await onStderr?.(item.text, item.data);
    else if (item.type === 'test') await onTest?.(item.test);
  }
}

export const isLive = ({ onStdout, onStderr, onTest }: LiveOptions): boolean => Boolean(onStdout ?? onStderr ?? onTest);
