import { randomBytes } from 'node:crypto';

import type { Span } from '@opentelemetry/api';
import type Docker from 'dockerode';

import { SandboxFailure, type SandboxJob, type SandboxOutcome } from '../../kernel/ports/sandbox.js';
import type { Log } from '../telemetry/log.js';
import { inSpan } from '../telemetry/trace-context.js';
import type { ContainerLife } from './container-life.js';
import type { OutputStream } from './docker-frames.js';
import {
  type EndReport,
  endOfRun,
  type Interruption,
  interrupted,
  OUT_OF_MEMORY,
  type RunEnd,
  wasKilled,
} from './end-of-run.js';
import { engineStatus } from './engine.js';
import { encodeJob } from './job-bundle.js';
import type { Removals } from './removals.js';
import { RunStream, type StreamEnd } from './run-stream.js';

/** From the job's delivery to PID 1's word that it starts: unpacking, no more. */
const START_TIMEOUT_MS = 20_000;
/** Asked to end the run, PID 1 answers within milliseconds; after this the container is killed without a report. */
export const REPORT_GRACE_MS = 500;
const NONCE_BYTES = 16;

export interface ColdRunOptions {
  readonly job: SandboxJob;
  readonly container: ContainerLife;
  readonly spec: Docker.ContainerCreateOptions;
  readonly outputBytesMax: number;
  /** Aborted by the caller: the run is cancelled. */
  readonly cancelled: AbortSignal;
  /** Aborted by `close()`: nobody asked for this run to end, so it ends as a failure of ours. */
  readonly closing: AbortSignal;
  readonly onOutput: ((stream: OutputStream, chunk: Uint8Array) => void) | undefined;
  readonly removals: Removals;
  readonly reportGraceMs: number;
  readonly log: Log;
}

/** One job in one container of its own. Used once. */
export class ColdRun {
  private stream: RunStream | null = null;
  private startedAt: Date | null = null;
  private startedClock = 0;
  private wallTimeMs = 0;
  private delivered = false;
  private removed = false;
  private interruption: Interruption | 'closing' | null = null;
  private grace: NodeJS.Timeout | undefined;

  constructor(private readonly options: ColdRunOptions) {}

  async run(): Promise<SandboxOutcome> {
    const { cancelled, closing } = this.options;
    const cancel = () => this.interrupt('cancelled');
    const close = () => this.interrupt('closing');
    cancelled.addEventListener('abort', cancel);
    closing.addEventListener('abort', close);
    try {
      if (cancelled.aborted) cancel();
      if (closing.aborted) close();
      return await this.throughItsLife();
    } finally {
      cancelled.removeEventListener('abort', cancel);
      closing.removeEventListener('abort', close);
      clearTimeout(this.grace);
    }
  }

  private async throughItsLife(): Promise<SandboxOutcome> {
    let end: StreamEnd | null = null;
    let interruption: Interruption | 'closing' | null;
    try {
      end = await this.execute();
      // What comes while the container is being removed changes nothing any more.
      interruption = this.interruption;
      if (end?.kind === 'closed' && interruption === null) return await this.afterSilentEnd(end);
    } catch (error) {
      if (error instanceof SandboxFailure) throw error;
      throw this.failure((error as Error).message, error);
    } finally {
      this.stream?.destroy();
      const removal = this.remove();
      // PID 1's report is its last act, and the kernel ends with it whatever is left of the run: the end can be told
      // 35 ms before the container is gone. Every other end is the removal's doing, so it is waited for.
      if (end?.kind !== 'reported') await removal;
    }
    return this.conclude(end, interruption);
  }

  private remove(): Promise<void> {
    const { container, removals, spec } = this.options;
    const removal = inSpan('container.remove', {}, () => container.remove()).then(
      () => void (this.removed = true),
      (error: unknown) => this.leftBehind(error),
    );
    removals.add(spec.name!, removal);
    return removal;
  }

  /** @returns null where the run was interrupted before the program had its job */
  private async execute(): Promise<StreamEnd | null> {
    const { container, spec, job } = this.options;
    if (this.interruption) return null;
    await inSpan('container.create', {}, () => container.create(spec)).catch((error: unknown) => this.refused(error));
    if (this.interruption) return null;
    const nonce = Buffer.from(randomBytes(NONCE_BYTES).toString('hex'));
    const { outputBytesMax, onOutput } = this.options;
    this.stream = new RunStream(await container.attach(), { nonce, outputBytesMax, onOutput });
    await inSpan('container.start', {}, () => container.start());
    if (this.interruption) return null;
    this.stream.deliver(encodeJob(job, nonce));
    this.delivered = true;
    return inSpan('program', { attributes: { 'voidrunner.script_type': job.scriptType } }, (span) =>
      this.untilEnd(this.stream!, span),
    );
  }

  private async untilEnd(stream: RunStream, span: Span): Promise<StreamEnd> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, START_TIMEOUT_MS, 'late')));
    try {
      const first = await Promise.race([stream.started, stream.ended, late]);
      if (first === 'late') throw new SandboxFailure(`PID 1 was not ready within ${START_TIMEOUT_MS} ms`, false);
      if (first instanceof Date) {
        clearTimeout(timer);
        this.startedAt = first;
        this.startedClock = performance.now();
        span.addEvent('program started', {}, first);
        timer = setTimeout(() => this.interrupt('timeout'), this.options.job.timeoutMs);
      }
      return await stream.ended;
    } finally {
      clearTimeout(timer);
      if (this.startedAt !== null) this.wallTimeMs = performance.now() - this.startedClock;
    }
  }

  /**
   * PID 1 is asked first, so that what was printed just before is kept and the report is true; whether or not it
   * answers, the container is killed when the grace is over.
   */
  private interrupt(why: Interruption | 'closing'): void {
    if (this.interruption !== null) return;
    this.interruption = why;
    const { stream } = this;
    if (stream === null) return;
    stream.drain();
    this.grace = setTimeout(() => stream.destroy(), this.options.reportGraceMs);
    this.options.container.signal('SIGTERM').catch(() => stream.destroy());
  }

  private conclude(end: StreamEnd | null, interruption: Interruption | 'closing' | null): SandboxOutcome {
    if (end?.kind === 'refused') throw new SandboxFailure(`the sandbox refused the job: ${end.message}`, false);
    const report = end?.kind === 'reported' ? end.report : null;
    if (interruption === 'closing') {
      if (report === null || wasKilled(report)) throw this.failure('the sandbox is closing');
      return this.outcome(endOfRun(report, null), report);
    }
    if (report !== null) return this.outcome(endOfRun(report, interruption), report);
    if (!this.removed && this.delivered) throw this.failure(`the engine was lost while the run was to end`);
    return this.outcome(interrupted(interruption!), null);
  }

  /** The stream is over and PID 1 said nothing: it was killed, or the engine went away. */
  private async afterSilentEnd(end: StreamEnd & { kind: 'closed' }): Promise<SandboxOutcome> {
    const facts = await this.options.container.postMortem().catch((error: unknown) => {
      throw this.failure('the connection to the container was lost', end.error ?? error);
    });
    // Also before the start: a limit that does not even hold the input.
    if (facts.oomKilled && facts.exitCode === 137) return this.outcome(OUT_OF_MEMORY, null);
    // It is certain that no user code ran only where PID 1 has ended without having said that it starts.
    this.delivered = false;
    const said = this.startedAt === null ? this.wordsOfPidOne() : '';
    throw this.failure(`the container ended by itself with exit code ${facts.exitCode}${said}`, end.error);
  }

  private outcome(end: RunEnd, report: EndReport | null): SandboxOutcome {
    const output = this.stream?.output ?? { stdout: NOTHING, stderr: NOTHING };
    return {
      ...end,
      ...output,
      startedAt: this.startedAt ?? new Date(),
      wallTimeMs: Math.round(this.wallTimeMs),
      cpuTimeMs: report?.cpuTimeMs ?? null,
      memoryPeakBytes: report?.memoryPeakBytes ?? null,
    };
  }

  private failure(message: string, cause?: unknown): SandboxFailure {
    // A lost engine may have started the program without our hearing of it: once delivered, it counts as started.
    return new SandboxFailure(message, this.startedAt !== null || this.delivered, { cause });
  }

  /** Before the program starts only PID 1 and the runtime write there: safe to pass on. */
  private wordsOfPidOne(): string {
    const bytes = this.stream!.output.stderr.content.subarray(0, 300);
    return bytes.length === 0 ? '' : `: ${Buffer.from(bytes).toString('utf8').trim()}`;
  }

  private refused(error: unknown): never {
    const { Image: image } = this.options.spec;
    const message = engineStatus(error) === 404 ? `the image ${image} is missing` : (error as Error).message;
    throw new SandboxFailure(message, false, { cause: error });
  }

  private leftBehind(error: unknown): void {
    const { spec, log } = this.options;
    log.warn({ err: error, container: spec.name }, 'container not removed; the sweep will');
  }
}

const NOTHING = { content: new Uint8Array(), bytesTotal: 0, truncated: false };
