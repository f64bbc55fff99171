import { setTimeout as delay } from 'node:timers/promises';

import { Unavailable } from '../../kernel/errors.js';
import { jobId, type JobQueue, type ReservedJob } from '../../kernel/ports/job-queue.js';
import type { Sandbox } from '../../kernel/ports/sandbox.js';
import type { Log } from '../../platform/telemetry/log.js';
import type { AttemptEnd, AttemptRunner, StopReason } from './attempt-runner.js';
import type { OrphanSweep } from './orphan-sweep.js';
import type { RunWatch, WatchedRun } from './run-watch.js';
import { WorkerTally } from './worker-tally.js';

/** A cancel must end a run within a second: this wait, one query, and the kill fit into it. */
const WATCH_INTERVAL_MS = 250;
/** One reserve call waits at most so long for a job, then asks again. */
const RESERVE_WAIT_MS = 30_000;
/** Between looks at an engine or a queue that is away. */
const AWAY_RETRY_MS = 500;
/** After runs were told to stop at shutdown, how long they have to be killed and handed back. */
const HAND_BACK_MS = 5_000;

export interface WorkerOptions {
  readonly workerId: string;
  /** Runs at a time. */
  readonly slots: number;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  readonly shutdownMs: number;
}

interface Run extends WatchedRun {
  readonly job: ReservedJob;
  readonly stopSignal: AbortController;
}

/** Reserves jobs and runs them, so many at a time, until it is stopped. */
export class Worker {
  readonly tally = new WorkerTally();
  /** By lease token: a queue that lost its memory may hand out the same job twice, for the log to tell them apart. */
  private readonly runs = new Map<string, Run>();
  private readonly stopping = new AbortController();
  private readonly abandon = new AbortController();
  private readonly gone = new AbortController();
  private loops: Promise<unknown> = Promise.resolve();
  private slotsDone: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly options: WorkerOptions,
    private readonly parts: {
      readonly queue: JobQueue;
      readonly sandbox: Sandbox;
      readonly attempts: AttemptRunner;
      readonly watch: RunWatch;
      readonly orphans: OrphanSweep;
      readonly log: Log;
    },
  ) {}

  start(): void {
    this.parts.sandbox.start();
    this.slotsDone = Promise.all(Array.from({ length: this.options.slots }, () => this.slot()));
    this.loops = Promise.all([
      this.every(this.options.heartbeatMs, () => this.heartbeat()),
      this.every(WATCH_INTERVAL_MS, () => this.parts.watch.look([...this.runs.values()])),
      this.every(this.options.leaseMs, () => this.parts.orphans.sweep()),
    ]);
  }

  /** Lets runs finish for `shutdownMs`, then hands the others back. Leaves no container behind. */
  async stop(): Promise<void> {
    this.stopping.abort();
    const inTime = await this.within(this.options.shutdownMs, this.slotsDone);
    if (!inTime) {
      for (const run of this.runs.values()) run.stopSignal.abort('shutdown' satisfies StopReason);
      await this.within(HAND_BACK_MS, this.slotsDone);
    }
    this.abandon.abort();
    this.gone.abort();
    await this.loops;
    await this.parts.sandbox.close();
    await this.parts.queue.workerGone(this.options.workerId).catch(() => undefined);
  }

  private async slot(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        const { healthy } = await this.parts.sandbox.health();
        const job = healthy ? await this.reserve() : null;
        if (job) await this.execute(job);
        else if (!healthy) await this.pause();
      } catch (error) {
        if (!(error instanceof Unavailable)) this.parts.log.error({ err: error }, 'worker slot failed');
        await this.pause();
      }
    }
  }

  private reserve(): Promise<ReservedJob | null> {
    const { workerId, leaseMs } = this.options;
    return this.parts.queue.reserve({ workerId, leaseMs, waitMs: RESERVE_WAIT_MS, signal: this.stopping.signal });
  }

  private async execute(job: ReservedJob): Promise<void> {
    const stopSignal = new AbortController();
    const { executionId, attempt, leaseToken } = job;
    const run: Run = {
      job,
      stopSignal,
      hold: { executionId, attempt, leaseToken },
      seenVersion: 0,
      stop: (reason) => stopSignal.abort(reason satisfies StopReason),
    };
    this.runs.set(leaseToken, run);
    const startedAt = performance.now();
    let end: AttemptEnd;
    try {
      end = await this.parts.attempts.run(job, { stop: stopSignal.signal, abandon: this.abandon.signal });
    } finally {
      // Before the job is settled: a heartbeat in between would take the settled lease for a forgotten one.
      this.runs.delete(leaseToken);
    }
    this.tally.count(end, performance.now() - startedAt);
    await this.parts.attempts.settle(job, end, this.abandon.signal);
  }

  private async heartbeat(): Promise<void> {
    const { workerId, leaseMs, slots } = this.options;
    const { queue, sandbox } = this.parts;
    const running = [...this.runs.values()];
    const { healthy } = await sandbox.health();
    const details = { pool_size: slots, healthy, ...this.tally.figures() };
    await queue.workerHeartbeat({ workerId, running: running.map(({ job }) => jobId(job)), ...details }, leaseMs);
    await Promise.all(running.map((run) => this.renew(run)));
  }

  /**
   * A lease that a flushed Redis forgot is put back. One that somebody else holds by now proves nothing: after a flush
   * the job may have been enqueued again from a view that lagged, and whoever reserved it will be refused by the log.
   * Whether the attempt is still this worker's is the log's to say (RunWatch).
   */
  private async renew(run: Run): Promise<void> {
    const { job } = run;
    const { queue } = this.parts;
    const { workerId, leaseMs } = this.options;
    if (!this.holds(run) || (await queue.heartbeat(job, leaseMs)) || !this.holds(run)) return;
    await queue.restoreLease(job, workerId, leaseMs);
  }

  private holds(run: Run): boolean {
    return this.runs.has(run.hold.leaseToken);
  }

  private async every(intervalMs: number, work: () => Promise<unknown>): Promise<void> {
    while (!this.gone.signal.aborted) {
      try {
        await work();
      } catch (error) {
        if (!(error instanceof Unavailable)) this.parts.log.error({ err: error }, 'worker chore failed');
      }
      await delay(intervalMs, undefined, { signal: this.gone.signal }).catch(() => undefined);
    }
  }

  private pause(): Promise<void> {
    return delay(AWAY_RETRY_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }

  private async within(limitMs: number, work: Promise<unknown>): Promise<boolean> {
    const timer = new AbortController();
    const late = delay(limitMs, false, { signal: timer.signal }).catch(() => false);
    const done = await Promise.race([work.then(() => true), late]);
    timer.abort();
    return done;
  }
}
