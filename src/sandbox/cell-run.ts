import type { Span } from '@opentelemetry/api';

import { withTimeout } from '../platform/async/timeout.js';
import { inSpan } from '../platform/telemetry/trace-context.js';
import type { CellJob } from './cell-job.js';
import type { Cell } from './cell.js';
import { type CollectedFiles, type FilesMax, FileRecords, NO_FILES } from './collected-files.js';
import { type EndReport, endOfRun, type Interruption, interrupted, OUT_OF_MEMORY, type RunEnd } from './end-of-run.js';
import { encodeJob, keptOf } from './job-bundle.js';
import type { LauncherMessage } from './launcher-messages.js';
import { fileNotes, notesOf, outOfMemoryNotes } from './run-notes.js';
import { RunOutput } from './run-output.js';
import {
  type OnOutput,
  type PartialOutcome,
  SandboxFailure,
  type SandboxOutcome,
  type OutputStreamName,
} from './sandbox.js';

/** From sending the job to the message that its program runs: this covers only namespaces and unpacking. */
const START_TIMEOUT_MS = 20_000;
/** The launcher ends a run at its deadline. If it fails to (stopped, starved), the host does so this much later. */
const DEADLINE_GRACE_MS = 2_000;
/**
 * When the launcher is asked to end a run, it sends the remaining output within milliseconds. If it sends nothing for
 * this long, the cell is removed without a report.
 */
export const REPORT_GRACE_MS = 500;
const BYTES_PER_MIB = 1024 * 1024;
/** For the files of a run whose processes are dead. The launcher gives up before (infra/launcher/file-stream.c). */
const COLLECT_MS_MAX = 35_000;

/** Total time for the remaining output, which is bounded. If a busy host exceeds it, the run ends without a report. */
const REPORT_MS_MAX = 10_000;

/** How the exchange with the launcher about one job ended. */
type JobEnd =
  | { readonly kind: 'reported'; readonly report: EndReport }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'closed'; readonly error?: Error | undefined };

export interface CellRunOptions {
  readonly job: CellJob;
  readonly outputBytesMax: number;
  readonly filesMax: FilesMax;
  /** Aborted by the caller: the run is cancelled. */
  readonly cancelled: AbortSignal;
  /** Aborted by `close()`: the caller did not end this run, so it ends as a SandboxFailure. */
  readonly closing: AbortSignal;
  readonly onOutput: OnOutput | undefined;
  readonly reportGraceMs?: number | undefined;
  /** Which of the cell's CPUs is the job's first. Default: 0. */
  readonly cpuFirst?: number;
}

/** As in infra/launcher/report.c and base.c. */
const DO_NOT_FIT = new Set([
  'input: the job does not fit the memory of its cell',
  'input: the base does not fit the memory of its cell',
]);

/** The cell cannot make the namespaces, permanently or at this moment. No user code ran. */
export class IsolationRefused extends SandboxFailure {}

/** One job in a cell. Used once. */
export class CellRun {
  /** Whether the cell can run another job: its launcher has reported the end and waits for the next job. */
  reusable = false;
  /** Known after a report. */
  preload: EndReport['preload'] | null = null;
  private readonly records: FileRecords;
  private readonly output: RunOutput;
  private readonly started = Promise.withResolvers<void>();
  private readonly ended = Promise.withResolvers<JobEnd>();
  private startedAt: Date | null = null;
  /** The same moment on the monotonic clock. */
  private startedMs = performance.now();
  private interruption: Interruption | 'closing' | null = null;
  private interruptedMs = 0;
  private deadline: NodeJS.Timeout | undefined;
  private grace: NodeJS.Timeout | undefined;
  private readonly number: number;

  constructor(
    private readonly cell: Cell,
    private readonly options: CellRunOptions,
  ) {
    this.output = new RunOutput(keptOf(options.outputBytesMax).headBytesMax);
    this.records = new FileRecords(options.filesMax);
    this.number = cell.jobs += 1;
  }

  async run(): Promise<SandboxOutcome> {
    const { cancelled, closing, job } = this.options;
    const cancel = () => this.interrupt('cancelled');
    const close = () => this.interrupt('closing');
    cancelled.addEventListener('abort', cancel);
    closing.addEventListener('abort', close);
    try {
      const attributes = { 'voidrunner.script_type': job.runtime.name, 'voidrunner.cell_jobs': this.number };
      return await inSpan(job.role, { attributes }, (span) => this.exchange(span));
    } finally {
      cancelled.removeEventListener('abort', cancel);
      closing.removeEventListener('abort', close);
      clearTimeout(this.deadline);
      clearTimeout(this.grace);
      this.cell.forget();
    }
  }

  private async exchange(span: Span): Promise<SandboxOutcome> {
    const { cell, number } = this;
    const { job, cancelled, closing, cpuFirst = 0, ...bundle } = this.options;
    cell.send(encodeJob(job, { ...bundle, number, kind: cell.kind, cpuFirst }), job.base, {
      onMessage: (message) => this.onMessage(message),
      lost: (error) => this.ended.resolve({ kind: 'closed', error }),
    });
    if (cancelled.aborted) this.interrupt('cancelled');
    if (closing.aborted) this.interrupt('closing');
    const end = await this.untilEnd(span);
    // Later interruptions have no effect.
    const { interruption } = this;
    if (end.kind === 'refused') return this.refused(end.message);
    if (end.kind === 'reported') {
      const outcome = this.reported(end.report, interruption);
      if (outcome.files.length > 0) span.setAttribute('voidrunner.files', outcome.files.length);
      return outcome;
    }
    return interruption === null ? this.afterSilentEnd(end.error) : this.afterRemoval(interruption);
  }

  private async untilEnd(span: Span): Promise<JobEnd> {
    await withTimeout(Promise.race([this.started.promise, this.ended.promise]), START_TIMEOUT_MS, () =>
      this.failure(`the launcher did not start the job within ${START_TIMEOUT_MS} ms`),
    );
    if (this.startedAt === null) return await this.ended.promise;
    span.addEvent('program started', {}, this.startedAt);
    return await this.ended.promise;
  }

  private interruptAfter(ms: number): void {
    clearTimeout(this.deadline);
    this.deadline = setTimeout(() => this.interrupt('timeout'), ms);
  }

  private onMessage(message: LauncherMessage): void {
    if (message.kind === 'hello' || message.kind === 'preload' || message.job !== this.number) return;
    switch (message.kind) {
      case 'started':
        this.startedAt = new Date();
        this.startedMs = performance.now();
        this.interruptAfter(this.options.job.timeoutMs + DEADLINE_GRACE_MS);
        return this.started.resolve();
      case 'output':
        return this.onOutput(message.stream, message.bytes);
      case 'files':
        return this.onFiles(message.bytes);
      case 'ended':
        return this.ended.resolve({ kind: 'reported', report: message.report });
      case 'refused':
        return this.ended.resolve({ kind: 'refused', message: message.message });
    }
  }

  /** The program is over when the first ones come. */
  private onFiles(bytes: Buffer): void {
    if (this.interruption !== null) this.waitForReport();
    else if (bytes.length === 0) this.interruptAfter(COLLECT_MS_MAX);
    this.records.write(bytes);
  }

  private onOutput(stream: OutputStreamName, bytes: Buffer): void {
    if (this.interruption !== null) this.waitForReport();
    const kept = this.output.add(stream, bytes);
    this.options.onOutput?.(stream, bytes, kept);
  }

  /** Asks the launcher first, so that the latest output is kept and the report is correct. */
  private interrupt(why: Interruption | 'closing'): void {
    if (this.interruption !== null) return;
    this.interruption = why;
    this.interruptedMs = performance.now();
    this.waitForReport();
    this.cell.kill(this.number);
  }

  /** Abandons the cell after the grace period, with or without a report. */
  private waitForReport(): void {
    const leftMs = REPORT_MS_MAX - (performance.now() - this.interruptedMs);
    const graceMs = Math.min(this.options.reportGraceMs ?? REPORT_GRACE_MS, Math.max(0, leftMs));
    clearTimeout(this.grace);
    this.grace = setTimeout(() => this.cell.abandon(), graceMs);
  }

  private reported(report: EndReport, interruption: Interruption | 'closing' | null): SandboxOutcome {
    this.preload = report.preload;
    // The next cell has a preloaded interpreter again.
    this.reusable = report.preload !== 'lost';
    // The program may have ended before, but its files are lost.
    const isCut = report.killed === 'host' || !this.files().complete;
    if (isCut && interruption === 'closing') throw this.failure('the sandbox is closing');
    if (isCut && interruption === 'cancelled') return this.outcome(interrupted('cancelled'), report);
    return this.outcome(endOfRun(report, interruption === 'closing' ? null : interruption), report);
  }

  /** The launcher sent no report in time: the run is over only when its container has been removed. */
  private async afterRemoval(interruption: Interruption | 'closing'): Promise<SandboxOutcome> {
    await this.cell.remove().catch((error: unknown) => {
      throw this.failure('the connection to the engine was lost while the run was being ended', error);
    });
    if (interruption === 'closing') throw this.failure('the sandbox is closing');
    return this.outcome(interrupted(interruption), null);
  }

  /** The connection closed without a report: the launcher was killed, or the engine went down. */
  private async afterSilentEnd(lost: Error | undefined): Promise<SandboxOutcome> {
    const facts = await this.cell.postMortem().catch((error: unknown) => {
      throw this.failure('the connection to the container was lost', lost ?? error);
    });
    // Possible before the start as well: the limit may be too small for the input.
    if (facts.oomKilled && facts.exitCode === 137) return this.outOfMemory();
    // Only if the launcher ended without a start message is it certain that no user code ran.
    const { stderr } = this.cell;
    const message = `the container ended by itself with exit code ${facts.exitCode}${stderr && `: ${stderr}`}`;
    throw new SandboxFailure(message, this.startedAt !== null, { cause: lost, partial: this.partial() });
  }

  private outOfMemory(): SandboxOutcome {
    const { kind } = this.cell;
    const outcome = this.outcome(OUT_OF_MEMORY, null);
    return { ...outcome, oomKills: 1, memoryPeakBytes: kind.memoryMb * BYTES_PER_MIB, notes: outOfMemoryNotes(kind) };
  }

  private outcome(end: RunEnd, report: EndReport | null): SandboxOutcome {
    const startedAt = this.startedAt ?? new Date();
    const output = this.output.result(report);
    const files = report === null || end.reason === 'cancelled' ? NO_FILES : this.files();
    return {
      ...end,
      ...output,
      files: files.files,
      skippedFiles: files.skipped,
      hasAllFiles: files.complete,
      compile: null,
      startedAt,
      imageDigest: this.cell.kind.image,
      wallTimeMs: report?.wallTimeMs ?? performance.now() - this.startedMs,
      cpuTimeMs: report?.cpuTimeMs ?? null,
      memoryPeakBytes: report?.memoryPeakBytes ?? null,
      oomKills: report?.oomKills ?? 0,
      notes: report === null ? [] : this.notesOf(report, output, files),
    };
  }

  private notesOf(report: EndReport, output: ReturnType<RunOutput['result']>, files: CollectedFiles): string[] {
    const { job, filesMax } = this.options;
    const notes = notesOf(report, this.cell.kind, output, (job.limits.cpu_time_seconds ?? null) !== null);
    // Nobody has asked for the file of a compiler.
    return job.role === 'compiler' ? notes : [...notes, ...fileNotes(files, filesMax)];
  }

  private files(): CollectedFiles {
    const { outputs } = this.options.job;
    return outputs.length === 0 ? NO_FILES : this.records.result(outputs.length);
  }

  /** @throws SandboxFailure */
  private refused(message: string): SandboxOutcome {
    // After a refusal the launcher can take the next job. But a host that refuses namespaces will refuse them again.
    this.reusable = !message.startsWith('isolation:');
    this.cell.forgetBase();
    // The limit of the job is too small for what it was given.
    if (DO_NOT_FIT.has(message)) return this.outOfMemory();
    const Kind = this.reusable ? SandboxFailure : IsolationRefused;
    throw new Kind(`the sandbox refused the job: ${message}`, this.startedAt !== null);
  }

  /** A lost engine may have started the program unnoticed: a job that was sent counts as started. */
  private failure(message: string, cause?: unknown): SandboxFailure {
    return new SandboxFailure(message, true, { cause, partial: this.partial() });
  }

  /** The output received so far. Only the launcher has the true counts and the tail. */
  private partial(): PartialOutcome | null {
    if (this.startedAt === null) return null;
    return { ...this.output.result(null), wallTimeMs: Date.now() - this.startedAt.getTime() };
  }
}
