import type { CommandBus } from '@nestjs/cqrs';

import type { Decided } from '../event-sourcing/core/decision-runner.js';
import type { EventMetadata } from '../event-sourcing/core/event.js';
import { DomainError, Unavailable } from '../kernel/errors.js';
import type { LiveInput } from '../live-input/live-input.js';
import { retryOutage } from '../platform/async/retry-outage.js';
import { ByteLog } from '../platform/memory/byte-log.js';
import type { PayloadStore } from '../platform/payloads/payload-store.js';
import type { Observations } from '../platform/telemetry/observations.js';
import { inSpan } from '../platform/telemetry/trace-context.js';
import type { JobQueue, ReservedJob } from '../queue/job-queue.js';
import type { Runtimes } from '../runtimes/runtimes.js';
import { type Sandbox, SandboxFailure, type SandboxJob, type SandboxOutcome } from '../sandbox/sandbox.js';
import {
  type AttemptLease,
  ReleaseAttempt,
  ReportFailure,
  ReportSuccess,
  StartAttempt,
} from '../tasks/domain/execution-commands.js';
import type { ExecutionSpec, RunResult } from '../tasks/domain/execution-events.js';
import type { ExecutionState, RunningExecution } from '../tasks/domain/execution-state.js';
import { progressLine, type TestResult } from '../tasks/domain/test-results.js';
import type { TestSuite } from '../tasks/domain/test-suite.js';
import { AttemptInput } from './attempt-input.js';
import { CHECKER_BOUNDS, type CheckerBounds } from './judging/checker.js';
import { SuiteFailure, SuiteRun, type SuiteOutcome } from './judging/suite-run.js';
import type { LiveAttempt, LivePublisher } from './live-publisher.js';
import { detachOutput, resultOfFailedSuite, resultOfPartialOutcome, storeRunResult } from './run-output.js';
import { type StoredJob, storedJob } from './stored-job.js';

/** Why a run is stopped before its program ends. */
export type StopReason = 'cancel' | 'shutdown' | 'lost';

/** How an attempt ended on this worker. `dropped`: the execution was not, or no longer, waiting for it. */
export type AttemptEnd = 'succeeded' | 'failed' | 'released' | 'dropped';

/** Signals that stop an attempt early, or end the retries of its report. */
export interface AttemptSignals {
  /** Aborted with a StopReason. */
  readonly stop: AbortSignal;
  /** Aborted when the worker must exit: it no longer waits for outages to end. */
  readonly abandon: AbortSignal;
}

const REFUSALS_OF_A_STALE_JOB = ['attempt_not_waiting', 'execution_not_found'];
/** Another worker or process reports the end; or the owner was erased, and the output cannot be stored. */
const ENDS_WITHOUT_A_REPORT = ['attempt_not_held', 'owner_erased'];

type Ran = SandboxOutcome & Partial<Pick<SuiteOutcome, 'suite'>>;

export interface AttemptRunnerParts {
  readonly workerId: string;
  readonly commands: Pick<CommandBus, 'execute'>;
  readonly queue: JobQueue;
  readonly payloads: PayloadStore;
  readonly runtimes: Runtimes;
  readonly sandbox: Sandbox;
  readonly live: LivePublisher;
  readonly liveInput: LiveInput;
  /** For all tests of an execution together. */
  readonly suiteTimeoutMs: number;
  readonly checkerBounds?: CheckerBounds;
  readonly observed: Pick<Observations, 'onRun' | 'onQueueWait' | 'onFiles' | 'onTest' | 'onStdin'>;
}

/** One attempt, from the reserved job to the recorded end. */
export class AttemptRunner {
  constructor(private readonly parts: AttemptRunnerParts) {}

  run(job: ReservedJob, signals: AttemptSignals): Promise<AttemptEnd> {
    const attributes = { 'voidrunner.execution_id': job.executionId, 'voidrunner.attempt': job.attempt };
    return inSpan('worker.execute', { attributes, traceparent: job.traceparent }, async (span) => {
      const end = await this.attempt(job, signals);
      span.setAttribute('voidrunner.attempt_end', end);
      return end;
    });
  }

  /** Releases or removes the job. The log already has the end, so a failure here costs only the rest of the lease. */
  async finishJob(job: ReservedJob, end: AttemptEnd, abandon: AbortSignal): Promise<void> {
    await retryOutage(
      () => (end === 'released' ? this.parts.queue.release(job) : this.parts.queue.complete(job)),
      abandon,
    );
  }

  private async attempt(job: ReservedJob, signals: AttemptSignals): Promise<AttemptEnd> {
    const lease: AttemptLease = { executionId: job.executionId, attempt: job.attempt, leaseToken: job.leaseToken };
    const state = await this.start(lease, job, signals.stop);
    if (state === 'unavailable') return 'released';
    if (state === null) return 'dropped';
    const startedAt = performance.now();
    const ran = await this.runProgram(state, lease, signals);
    const outcome = ran instanceof SandboxFailure ? 'infrastructure' : ran.reason;
    const durationMs = performance.now() - startedAt;
    this.parts.observed.onRun({ scriptType: state.spec.script_type, outcome, durationMs });
    if (signals.stop.reason === 'lost') return 'dropped';
    try {
      return await retryOutage(() => this.report(lease, state.spec, ran, signals), signals.abandon);
    } catch (error) {
      if (error instanceof DomainError && ENDS_WITHOUT_A_REPORT.includes(error.code)) return 'dropped';
      throw error;
    } finally {
      detachOutput(ran);
    }
  }

  /**
   * Retries through an outage: the start may have been recorded although the response was lost. Releasing the job then
   * would leave an attempt that the log considers running but no worker runs.
   */
  private async start(
    lease: AttemptLease,
    job: ReservedJob,
    stop: AbortSignal,
  ): Promise<RunningExecution | 'unavailable' | null> {
    const queuedMs = Math.max(0, Date.now() - Math.max(job.enqueuedAt, job.notBefore ?? 0));
    const command = new StartAttempt(lease, this.parts.workerId, queuedMs, this.metadata(lease));
    try {
      const { result } = await retryOutage(
        () => this.parts.commands.execute<StartAttempt, Decided<ExecutionState>>(command),
        stop,
      );
      this.parts.observed.onQueueWait(queuedMs);
      return result as RunningExecution;
    } catch (error) {
      if (error instanceof Unavailable) return 'unavailable';
      if (error instanceof DomainError && REFUSALS_OF_A_STALE_JOB.includes(error.code)) return null;
      throw error;
    }
  }

  private async runProgram(
    state: RunningExecution,
    lease: AttemptLease,
    signals: AttemptSignals,
  ): Promise<Ran | SandboxFailure> {
    try {
      const stored = await retryOutage(() => storedJob(this.parts, state), signals.stop);
      try {
        return await this.runLive(stored, lease, signals.stop);
      } finally {
        stored.free();
      }
    } catch (error) {
      if (error instanceof SandboxFailure) return error;
      if (error instanceof Unavailable) return new SandboxFailure(error.message, false, { cause: error });
      if (error instanceof DomainError) return new SandboxFailure(error.message, true, { cause: error });
      throw error;
    }
  }

  private async runLive(
    { job, isInteractive, suite }: StoredJob,
    lease: AttemptLease,
    signal: AbortSignal,
  ): Promise<Ran> {
    const { sandbox, liveInput, observed } = this.parts;
    const live = this.parts.live.open(lease);
    const input = isInteractive ? new AttemptInput(lease, liveInput, observed.onStdin) : null;
    try {
      if (suite) return await this.runSuite(job, suite, live, signal);
      return await sandbox.run(job, {
        signal,
        onOutput: (stream, _, kept) => live.publish(stream, kept),
        interactive: input?.program,
      });
    } finally {
      input?.close();
      live.close();
    }
  }

  private runSuite(job: SandboxJob, suite: TestSuite, live: LiveAttempt, signal: AbortSignal): Promise<SuiteOutcome> {
    const { sandbox, runtimes, suiteTimeoutMs: timeoutMs, checkerBounds = CHECKER_BOUNDS, observed } = this.parts;
    const progress = new ByteLog();
    const onResult = (result: TestResult, index: number): void => {
      observed.onTest(result.verdict);
      progress.add(progressLine(result, index));
      live.publish('tests', progress);
    };
    const options = { sandbox, runtimes, timeoutMs, checkerBounds, signal, onResult };
    return inSpan('suite', { attributes: { 'voidrunner.tests': suite.tests.length } }, async (span) => {
      const ran = await new SuiteRun(job, suite, options).run();
      span.setAttribute('voidrunner.verdict', ran.suite.verdict ?? 'none');
      return ran;
    });
  }

  private async report(
    lease: AttemptLease,
    spec: ExecutionSpec,
    ran: Ran | SandboxFailure,
    signals: AttemptSignals,
  ): Promise<AttemptEnd> {
    const metadata = this.metadata(lease);
    const retryContext = { now: new Date(), random: Math.random() };
    const shutsDown = signals.stop.reason === ('shutdown' satisfies StopReason);
    if (ran instanceof SandboxFailure) {
      if (shutsDown || (await this.isOutage(ran))) return this.release(lease, ran.message);
      const { message: detail } = ran;
      const result = await this.resultOfFailure(ran, lease, spec.owner_id);
      const failure = { reason: 'infrastructure' as const, detail, result };
      await this.parts.commands.execute(new ReportFailure(lease, failure, retryContext, metadata));
      return 'failed';
    }
    if (ran.reason === 'cancelled' && shutsDown) {
      return this.release(lease, 'the worker shuts down');
    }
    // A request that names its image need not be repeated.
    const imageDigest = spec.image_digest === null ? ran.imageDigest : null;
    const result = await storeRunResult(this.parts.payloads, lease, spec.owner_id, { ...ran, imageDigest });
    if (ran.files.length > 0) {
      const bytes = ran.files.reduce((sum, { content }) => sum + content.length, 0);
      this.parts.observed.onFiles({ files: ran.files.length, bytes });
    }
    if (ran.reason === 'exit_code' && (ran.suite || ran.returnCode === 0)) {
      await this.parts.commands.execute(new ReportSuccess(lease, result, metadata));
      return 'succeeded';
    }
    await this.parts.commands.execute(
      new ReportFailure(lease, { reason: ran.reason, detail: null, result }, retryContext, metadata),
    );
    return 'failed';
  }

  private resultOfFailure(ran: SandboxFailure, lease: AttemptLease, ownerId: string): Promise<RunResult | null> {
    const { payloads } = this.parts;
    if (ran instanceof SuiteFailure) return resultOfFailedSuite(payloads, lease, ownerId, ran.suite);
    return ran.partial ? resultOfPartialOutcome(payloads, lease, ownerId, ran.partial) : Promise.resolve(null);
  }

  /** Outages do not use up attempts. A fault that the next attempt would meet as well (no such image) does. */
  private async isOutage(failure: SandboxFailure): Promise<boolean> {
    if (failure.countsAsAttempt) return false;
    return failure.cause instanceof Unavailable || !(await this.parts.sandbox.health()).healthy;
  }

  private async release(lease: AttemptLease, why: string): Promise<AttemptEnd> {
    await this.parts.commands.execute(new ReleaseAttempt(lease, why, this.metadata(lease)));
    return 'released';
  }

  private metadata(lease: AttemptLease): EventMetadata {
    return { actor: `system:${this.parts.workerId}`, correlation_id: lease.executionId };
  }
}
