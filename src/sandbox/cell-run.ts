import type { Span } from '@opentelemetry/api';

import {
  type OnOutput,
  type PartialOutcome,
  SandboxFailure,
  type SandboxJob,
  type SandboxOutcome,
  type OutputStreamName,
} from './sandbox.js';
import { inSpan } from '../platform/telemetry/trace-context.js';
import type { Cell } from './cell.js';
import { type EndReport, endOfRun, type Interruption, interrupted, OUT_OF_MEMORY, type RunEnd } from './end-of-run.js';
import { encodeJob, keptOf } from './job-bundle.js';
import type { LauncherMessage } from './launcher-messages.js';
import { LANGUAGES } from './languages.js';
import { notesOf, outOfMemoryNotes } from './run-notes.js';
import { RunOutput } from './run-output.js';

/** From the job's delivery to the word that its program runs: namespaces and unpacking, no more. */
const START_TIMEOUT_MS = 20_000;
/** The launcher ends a run at its deadline by itself. Where it does not (stopped, starved), the host does, so much later. */
const DEADLINE_GRACE_MS = 2_000;
/**
 * Asked to end the run, the launcher goes on to send what is left, within milliseconds. After so long without a word of
 * it the cell is removed without a report.
 */
export const REPORT_GRACE_MS = 500;
const BYTES_PER_MIB = 1024 * 1024;

/** What is left to send is bounded; a host so busy that even this is over takes the run for one without a report. */
const REPORT_MS_MAX = 10_000;

/** How the conversation about one job ended. */
type JobEnd =
  | { readonly kind: 'reported'; readonly report: EndReport }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'closed'; readonly error?: Error | undefined };

export interface CellRunOptions {
  readonly job: SandboxJob;
  readonly outputBytesMax: number;
  readonly compileTimeoutMs: number;
  /** Aborted by the caller: the run is cancelled. */
  readonly cancelled: AbortSignal;
  /** Aborted by `close()`: nobody asked for this run to end, so it ends as a failure of ours. */
  readonly closing: AbortSignal;
  readonly onOutput: OnOutput | undefined;
  readonly reportGraceMs?: number | undefined;
  /** Which of the cell's CPUs is the job's first. Default: 0. */
  readonly cpuFirst?: number;
}

/** The cell cannot make the namespaces, or could not now. No user code ran. */
export class IsolationRefused extends SandboxFailure {}

/** One job in a cell. Used once. */
export class CellRun {
  /** Whether the cell is as good as before: its launcher has told the end, and waits for the next job. */
  reusable = false;
  private readonly output: RunOutput;
  private readonly started = Promise.withResolvers<void>();
  private readonly ended = Promise.withResolvers<JobEnd>();
  private startedAt: Date | null = null;
  /** The same moment on a clock that is never set back. */
  private startedMs = performance.now();
  private interruption: Interruption | 'closing' | null = null;
  private interruptedMs = 0;
  private grace: NodeJS.Timeout | undefined;
  private readonly number: number;

  constructor(
    private readonly cell: Cell,
    private readonly options: CellRunOptions,
  ) {
    this.output = new RunOutput(keptOf(options.outputBytesMax).headBytesMax);
    this.number = cell.jobs += 1;
  }

  async run(): Promise<SandboxOutcome> {
    const { cancelled, closing, job } = this.options;
    const cancel = () => this.interrupt('cancelled');
    const close = () => this.interrupt('closing');
    cancelled.addEventListener('abort', cancel);
    closing.addEventListener('abort', close);
    try {
      const attributes = { 'voidrunner.script_type': job.scriptType, 'voidrunner.cell_jobs': this.number };
      return await inSpan('program', { attributes }, (span) => this.converse(span));
    } finally {
      cancelled.removeEventListener('abort', cancel);
      closing.removeEventListener('abort', close);
      clearTimeout(this.grace);
      this.cell.forget();
    }
  }

  private async converse(span: Span): Promise<SandboxOutcome> {
    const { cell, number } = this;
    const { job, outputBytesMax, compileTimeoutMs, cancelled, closing, cpuFirst = 0 } = this.options;
    cell.send(encodeJob(job, { number, kind: cell.kind, outputBytesMax, compileTimeoutMs, cpuFirst }), {
      onMessage: (message) => this.heed(message),
      lost: (error) => this.ended.resolve({ kind: 'closed', error }),
    });
    if (cancelled.aborted) this.interrupt('cancelled');
    if (closing.aborted) this.interrupt('closing');
    const end = await this.untilEnd(span);
    // What comes from here on changes nothing any more.
    const { interruption } = this;
    if (end.kind === 'refused') throw this.refusal(end.message);
    if (end.kind === 'reported') {
      const { compileTimeMs } = end.report;
      if (compileTimeMs !== null) span.setAttribute('voidrunner.compile_ms', compileTimeMs);
      return this.reported(end.report, interruption);
    }
    return interruption === null ? this.afterSilentEnd(end.error) : this.afterRemoval(interruption);
  }

  private async untilEnd(span: Span): Promise<JobEnd> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, START_TIMEOUT_MS, 'late')));
    try {
      const first = await Promise.race([this.started.promise, this.ended.promise, late]);
      clearTimeout(timer);
      if (first === 'late') throw this.failure(`the launcher did not start the job within ${START_TIMEOUT_MS} ms`);
      if (this.startedAt !== null) {
        span.addEvent('program started', {}, this.startedAt);
        timer = setTimeout(() => this.interrupt('timeout'), this.timeMsMax() + DEADLINE_GRACE_MS);
      }
      return await this.ended.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Of all that the launcher starts for this job. */
  private timeMsMax(): number {
    const { job, compileTimeoutMs } = this.options;
    const compiles = LANGUAGES[job.scriptType].compile !== undefined;
    return job.timeoutMs + (compiles ? compileTimeoutMs : 0);
  }

  private heed(message: LauncherMessage): void {
    if (message.kind === 'hello' || message.job !== this.number) return;
    switch (message.kind) {
      case 'started':
        this.startedAt = new Date();
        this.startedMs = performance.now();
        return this.started.resolve();
      case 'output':
        return this.heard(message.stream, message.bytes);
      case 'ended':
        return this.ended.resolve({ kind: 'reported', report: message.report });
      case 'refused':
        return this.ended.resolve({ kind: 'refused', message: message.message });
    }
  }

  private heard(stream: OutputStreamName, bytes: Buffer): void {
    if (this.interruption !== null) this.waitForReport();
    const kept = this.output.add(stream, bytes);
    this.options.onOutput?.(stream, bytes, kept);
  }

  /** The launcher is asked first, so that what was printed just before is kept and the report is true. */
  private interrupt(why: Interruption | 'closing'): void {
    if (this.interruption !== null) return;
    this.interruption = why;
    this.interruptedMs = performance.now();
    this.waitForReport();
    this.cell.kill(this.number);
  }

  /** Whether or not it comes, the cell is abandoned in the end. */
  private waitForReport(): void {
    const leftMs = REPORT_MS_MAX - (performance.now() - this.interruptedMs);
    const graceMs = Math.min(this.options.reportGraceMs ?? REPORT_GRACE_MS, Math.max(0, leftMs));
    clearTimeout(this.grace);
    this.grace = setTimeout(() => this.cell.abandon(), graceMs);
  }

  private reported(report: EndReport, interruption: Interruption | 'closing' | null): SandboxOutcome {
    this.reusable = true;
    if (interruption === 'closing' && report.killed === 'host') throw this.failure('the sandbox is closing');
    return this.outcome(endOfRun(report, interruption === 'closing' ? null : interruption), report);
  }

  /** The launcher gave no report in time: the run is over once its container is gone, and not before. */
  private async afterRemoval(interruption: Interruption | 'closing'): Promise<SandboxOutcome> {
    await this.cell.remove().catch((error: unknown) => {
      throw this.failure('the engine was lost while the run was to end', error);
    });
    if (interruption === 'closing') throw this.failure('the sandbox is closing');
    return this.outcome(interrupted(interruption), null);
  }

  /** The connection is over and the launcher said nothing: it was killed, or the engine went away. */
  private async afterSilentEnd(lost: Error | undefined): Promise<SandboxOutcome> {
    const facts = await this.cell.postMortem().catch((error: unknown) => {
      throw this.failure('the connection to the container was lost', lost ?? error);
    });
    // Also before the start: a limit that does not even hold the input.
    if (facts.oomKilled && facts.exitCode === 137) return this.outOfMemory();
    // It is certain that no user code ran only where the launcher has ended without having said that it starts.
    const { lastWords } = this.cell;
    const message = `the container ended by itself with exit code ${facts.exitCode}${lastWords && `: ${lastWords}`}`;
    throw new SandboxFailure(message, this.startedAt !== null, { cause: lost, partial: this.partial() });
  }

  private outOfMemory(): SandboxOutcome {
    const { kind } = this.cell;
    const outcome = this.outcome(OUT_OF_MEMORY, null);
    return { ...outcome, memoryPeakBytes: kind.memoryMb * BYTES_PER_MIB, notes: outOfMemoryNotes(kind) };
  }

  private outcome(end: RunEnd, report: EndReport | null): SandboxOutcome {
    const startedAt = this.startedAt ?? new Date();
    const output = this.output.result(report);
    return {
      ...end,
      ...output,
      startedAt,
      wallTimeMs: report?.wallTimeMs ?? performance.now() - this.startedMs,
      cpuTimeMs: report?.cpuTimeMs ?? null,
      memoryPeakBytes: report?.memoryPeakBytes ?? null,
      notes: report === null ? [] : notesOf(report, this.cell.kind, output),
    };
  }

  private refusal(message: string): SandboxFailure {
    // After its refusal the launcher takes the next job; a host that refuses namespaces will refuse them again.
    this.reusable = !message.startsWith('isolation:');
    const Kind = this.reusable ? SandboxFailure : IsolationRefused;
    // Where a compiler ran, the user's code did.
    return new Kind(`the sandbox refused the job: ${message}`, this.startedAt !== null);
  }

  /** A lost engine may have started the program without our hearing of it: once delivered, it counts as started. */
  private failure(message: string, cause?: unknown): SandboxFailure {
    return new SandboxFailure(message, true, { cause, partial: this.partial() });
  }

  /** The launcher has the true counts and the tail; what it told before is here. */
  private partial(): PartialOutcome | null {
    if (this.startedAt === null) return null;
    return { ...this.output.result(null), wallTimeMs: Date.now() - this.startedAt.getTime() };
  }
}
