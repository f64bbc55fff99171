import { bufferView } from '../../kernel/buffer-view.js';
import { wholeCharacters } from '../../kernel/utf8.js';
import { detachBuffer } from '../../platform/memory/detach-buffer.js';
import { withoutSpans } from '../../platform/telemetry/trace-context.js';
import type { Runtimes } from '../../runtimes/runtimes.js';
import {
  type CapturedOutput,
  type PreparedProgram,
  type ProgramRun,
  type Sandbox,
  SandboxFailure,
  type SandboxJob,
  type SandboxOutcome,
} from '../../sandbox/sandbox.js';
import { timeoutMsOf } from '../../tasks/domain/execution-shape.js';
import {
  TEST_MESSAGE_CHARS_MAX,
  TEST_OUTPUT_BYTES_MAX,
  type TestResult,
  type Verdict,
} from '../../tasks/domain/test-results.js';
import type { Judge, TestCase, TestSuite } from '../../tasks/domain/test-suite.js';
import { type Checker, type CheckerBounds, prepareChecker } from './checker.js';
import { type Comparison, differenceOf } from './compare-output.js';
import { suiteFilesOf } from './suite-files.js';
import { SuiteTotals } from './suite-totals.js';
import { ACCEPTED, type Judged, judgedEnd } from './test-verdict.js';

/** What the tests found. */
export interface JudgedSuite {
  /** Null if not all were run, and none of them failed. */
  readonly verdict: Verdict | null;
  readonly score: number;
  /** Of those that were run. */
  readonly results: readonly TestResult[];
}

/**
 * All runs of a suite as one. `exit_code`, without a return code: the suite was carried out, whatever its verdicts;
 * `timeout`: the time for the whole suite was over.
 */
export type SuiteOutcome = SandboxOutcome & { readonly suite: JudgedSuite };

/** The sandbox failed. Without the output of the run under way, which is not the execution's. */
export class SuiteFailure extends SandboxFailure {
  constructor(
    failure: SandboxFailure,
    readonly suite: JudgedSuite,
  ) {
    super(failure.message, failure.countsAsAttempt, { cause: failure.cause });
  }
}

export interface SuiteRunOptions {
  readonly sandbox: Sandbox;
  readonly runtimes: Runtimes;
  /** For the whole suite. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly checkerBounds?: CheckerBounds;
  readonly onResult: (result: TestResult, index: number) => void;
}

/** Runs a suite's tests, one after another, each in namespaces of its own. Used once. */
export class SuiteRun {
  private readonly results: TestResult[] = [];
  private readonly totals = new SuiteTotals();
  private readonly timeout = new AbortController();
  private readonly signal: AbortSignal;

  /** @param job with the input that the tests have in common */
  constructor(
    private readonly job: SandboxJob,
    private readonly suite: TestSuite,
    private readonly options: SuiteRunOptions,
  ) {
    this.signal = AbortSignal.any([options.signal, this.timeout.signal]);
  }

  /** @throws SuiteFailure */
  async run(): Promise<SuiteOutcome> {
    const timer = setTimeout(() => this.timeout.abort(), this.options.timeoutMs);
    try {
      return await this.runAll();
    } catch (error) {
      throw error instanceof SandboxFailure ? new SuiteFailure(error, this.judged(this.verdict)) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  private async runAll(): Promise<SuiteOutcome> {
    const { job, suite, signal } = this;
    const files = suiteFilesOf(job.input.files ?? [], suite.tests);
    const common = { ...job, input: { ...job.input, files: files.common } };
    const prepared = await this.options.sandbox.prepare(common, { signal });
    if (prepared.kind === 'ended') return this.ended(prepared.outcome);
    const checker = suite.judge.checker && (await prepareChecker(suite.judge.checker, job, this.options, signal));
    if (checker === null) return this.stopped(prepared.program);
    for (const [index, test] of suite.tests.entries()) {
      const result = await withoutSpans(() => this.runTest(prepared.program, test, files.of(test), checker));
      if (result === null) return this.stopped(prepared.program);
      this.results.push(result);
      this.options.onResult(result, index);
      if (result.verdict !== 'accepted' && suite.judge.stop_on === 'first_failure') break;
    }
    return {
      ...this.totals.outcome('exit_code', prepared.program.compile),
      suite: this.judged(this.verdict ?? 'accepted'),
    };
  }

  /** @returns null if it was cancelled */
  private async runTest(
    program: PreparedProgram,
    test: TestCase,
    files: ProgramRun['files'],
    checker: Checker | undefined,
  ): Promise<TestResult | null> {
    const { job, signal } = this;
    const stdin = test.stdin ?? job.input.stdin;
    const run: ProgramRun = {
      ...{ stdin, files },
      args: test.args ?? job.input.args,
      limits: { ...job.limits, ...test.limits },
      timeoutMs: test.timeout_seconds === undefined ? job.timeoutMs : timeoutMsOf(test.timeout_seconds),
    };
    const outcome = await program.run(run, { signal });
    // A run that was cancelled before it had a cell has no figures.
    if (outcome.imageDigest !== null || outcome.reason !== 'cancelled') this.totals.add(outcome);
    try {
      if (outcome.reason === 'cancelled') return null;
      const judged =
        judgedEnd(outcome, test.expected_return_code) ??
        (await this.judgedOutput(outcome.stdout, test, stdin ?? new Uint8Array(), checker));
      return judged && resultOf(test, outcome, judged);
    } finally {
      for (const { content } of [outcome.stdout, outcome.stderr]) detachBuffer(content);
    }
  }

  private async judgedOutput(
    { content }: CapturedOutput,
    { expected_stdout: expected }: TestCase,
    input: Uint8Array,
    checker: Checker | undefined,
  ): Promise<Judged | null> {
    if (checker) return checker.check({ input, expected: expected ?? new Uint8Array(), output: content }, this.signal);
    if (!expected) return ACCEPTED;
    const message = differenceOf(comparisonOf(this.suite.judge), bufferView(expected), bufferView(content));
    return message === null ? ACCEPTED : { verdict: 'wrong_answer', message };
  }

  /** The program was not made. */
  private ended(outcome: SandboxOutcome): SuiteOutcome {
    if (outcome.reason === 'compile') return { ...outcome, suite: this.judged('compile_error') };
    return this.stopped({ compile: outcome.compile });
  }

  /** By a cancellation, or because the time for the suite is over. */
  private stopped({ compile }: Pick<PreparedProgram, 'compile'>): SuiteOutcome {
    const reason = this.options.signal.aborted ? 'cancelled' : 'timeout';
    return { ...this.totals.outcome(reason, compile), suite: this.judged(this.verdict) };
  }

  /** That of the first test that failed so far; null if none has. */
  private get verdict(): Verdict | null {
    return this.results.find(({ verdict }) => verdict !== 'accepted')?.verdict ?? null;
  }

  private judged(verdict: Verdict | null): JudgedSuite {
    return { verdict, score: this.results.reduce((sum, { points }) => sum + points, 0), results: this.results };
  }
}

function comparisonOf({ compare, numbers }: Judge): Comparison {
  if (compare === 'checker') throw new Error('a checker compares by itself');
  return compare === 'numbers' ? { compare, tolerance: numbers! } : { compare };
}

function resultOf(test: TestCase, outcome: SandboxOutcome, { verdict, message }: Judged): TestResult {
  return {
    name: test.name,
    verdict,
    return_code: outcome.returnCode,
    signal: outcome.signal,
    wall_time_ms: Math.round(outcome.wallTimeMs),
    cpu_time_ms: outcome.cpuTimeMs === null ? null : Math.round(outcome.cpuTimeMs),
    memory_usage_bytes: outcome.memoryPeakBytes,
    stdout: headOf(outcome.stdout),
    stderr: headOf(outcome.stderr),
    message: message && message.slice(0, TEST_MESSAGE_CHARS_MAX),
    points: verdict === 'accepted' ? test.points : 0,
    hidden: test.hidden,
  };
}

/** A copy, which is not cut inside a character. */
function headOf({ content }: CapturedOutput): Buffer {
  const head = content.subarray(0, TEST_OUTPUT_BYTES_MAX);
  return Buffer.from(head.length < content.length ? head.subarray(0, wholeCharacters(head)) : head);
}
