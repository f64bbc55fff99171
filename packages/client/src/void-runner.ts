import type { Execution, Language } from './api-objects.js';
import { createHttp, type Http } from './http.js';
import { type CallOptions, checkOptions, type ClientOptions } from './options.js';
import { Auth } from './resources/auth.js';
import { Batches } from './resources/batches.js';
import { DeadLetters } from './resources/dead-letters.js';
import { Executions } from './resources/executions.js';
import { Files } from './resources/files.js';
import { Keys } from './resources/keys.js';
import { Log } from './resources/log.js';
import { Runtimes } from './resources/runtimes.js';
import { Suites } from './resources/suites.js';
import { Tasks } from './resources/tasks.js';
import { Webhooks } from './resources/webhooks.js';
import type { RunResult } from './run-result.js';
import { Runner, type RunOptions, type StartOptions } from './runner.js';
import { streamExecution, type StreamItem, type StreamOptions } from './streaming/stream-execution.js';
import { Credentials } from './transport/credentials.js';

/** A client of one VoidRunner service, with one credential. */
export class VoidRunner {
  readonly tasks: Tasks;
  readonly executions: Executions;
  readonly suites: Suites;
  readonly batches: Batches;
  readonly files: Files;
  readonly deadLetters: DeadLetters;
  readonly keys: Keys;
  readonly log: Log;
  readonly runtimes: Runtimes;
  readonly webhooks: Webhooks;
  readonly auth: Auth;
  /**
   * Every operation of the API, typed by its document (openapi-fetch), with the same credential, repeats and time
   * limits. It returns error responses as `error`, and throws a ConnectionError.
   */
  readonly http: Http;

  private readonly runner: Runner;

  /** @throws TypeError if an option is wrong */
  constructor(options: ClientOptions) {
    const checked = checkOptions(options);
    const credentials = new Credentials(options.apiKey ?? null, options.session ?? null);
    const { http, refresh } = createHttp(checked, credentials);
    this.http = http;
    this.executions = new Executions(http);
    this.files = new Files(http);
    this.runner = new Runner(http, {
      output: (id, stream) => this.executions.output(id, stream),
      file: (id, path) => this.files.download(id, path),
    });
    this.tasks = new Tasks(http, this.runner);
    this.suites = new Suites(http, this.runner);
    this.batches = new Batches(http);
    this.deadLetters = new DeadLetters(http);
    this.keys = new Keys(http);
    this.log = new Log(http);
    this.runtimes = new Runtimes(http);
    this.webhooks = new Webhooks(http);
    this.auth = new Auth(http, credentials, refresh);
  }

  /**
   * Runs a program once and waits for its end. A program that fails is a result, too: see `ok`. If the call ends early
   * (an abort, an error), the execution goes on; `executions.cancel` ends one that was started with `start`.
   */
  run(language: Language, code: string, options: RunOptions = {}): Promise<RunResult> {
    return this.runner.run(language, code, options);
  }

  /** Starts a program and returns at once. */
  start(language: Language, code: string, options: StartOptions = {}): Promise<Execution> {
    return this.runner.start(language, code, options);
  }

  /** Waits until an execution has ended. */
  wait(executionId: string, options: CallOptions = {}): Promise<RunResult> {
    return this.runner.wait(executionId, options);
  }

  /**
   * What happens in an execution, from its first event and the start of its current attempt, until it has ended: events
   * and finished tests, each once, and output. After a broken connection it continues where it was.
   */
  stream(executionId: string, options: StreamOptions = {}): AsyncGenerator<StreamItem, void> {
    return streamExecution(this.http, executionId, options);
  }
}
