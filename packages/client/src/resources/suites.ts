import type { Execution, Language, TestCase } from '../api-objects.js';
import type { CallOptions } from '../options.js';
import type { Http } from '../http.js';
import type { RunResult } from '../run-result.js';
import type { Runner, RunOptions, StartOptions } from '../runner.js';
import type { FinishedTest } from '../streaming/follow-events.js';
import { streamExecution } from '../streaming/stream-execution.js';

/** Programs that are judged: one run per test. `verdict`, `score`, `points` and `tests` of the result say how. */
export class Suites {
  constructor(
    private readonly http: Http,
    private readonly runner: Runner,
  ) {}

  run(language: Language, code: string, tests: readonly TestCase[], options: RunOptions = {}): Promise<RunResult> {
    return this.runner.run(language, code, { ...options, tests });
  }

  /** Returns at once. `VoidRunner.wait` waits for the result. */
  start(language: Language, code: string, tests: readonly TestCase[], options: StartOptions = {}): Promise<Execution> {
    return this.runner.start(language, code, { ...options, tests });
  }

  /** The tests as they are finished, each once, until the execution has ended. */
  async *follow(executionId: string, options: CallOptions = {}): AsyncGenerator<FinishedTest, void> {
    for await (const item of streamExecution(this.http, executionId, { ...options, types: ['test'] })) {
      if (item.type === 'test') yield item.test;
    }
  }
}
