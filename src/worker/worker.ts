import { Unavailable } from '../kernel/errors.js';
import { isSameJson } from '../kernel/json.js';
import { delay } from '../platform/async/delay.js';
import { resolvesWithin } from '../platform/async/timeout.js';
import type { Log } from '../platform/telemetry/log.js';
import { jobId, type JobQueue, type ReservedJob } from '../queue/job-queue.js';
import type { RuntimeOffer } from '../runtimes/runtime-offer.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { AttemptEnd, AttemptRunner, StopReason } from './attempt-runner.js';
import type { OrphanSweep } from './orphan-sweep.js';
import type { RunWatch, WatchedRun } from './run-watch.js';
import { WorkerTally } from './worker-tally.js';

/** A cancel must end a run within a second: this wait, one query and the kill fit into that. */
const WATCH_INTERVAL_MS = 250;
/** Longest wait of one reserve call for a job; then the next call follows. */
const RESERVE_WAIT_MS = 30_000;
/** Pause while the engine or the queue is unavailable. */
const OUTAGE_RETRY_MS = 200;
/** Heartbeat interval of a worker without its session: only the heartbeat then shows that it is alive. */
const NO_SESSION_BEAT_MS = 500;
/** How long releasing attempts may take at shutdown: after runs were asked to stop, and again after they are killed. */
const RELEASE_TIMEOUT_MS = 5_000;

export interface WorkerOptions {
  readonly workerId: string;
  /** Number of concurrent runs. */
  readonly slots: number;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  readonly shutdownMs: number;
  readonly releaseTimeoutMs?: number;
}

/** Shows other processes that this one is alive, and that it has crashed when its session ends. */
export interface HeldSession {
  readonly isOpen: boolean;
  /** Keeps it open until the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

interface Run extends WatchedRun {
  readonly job: ReservedJob;
  readonly stopSignal: AbortController;
}

/** Reserves and runs jobs, one per slot, until it is stopped. */
export class Worker {
  readonly tally = new WorkerTally();
  /** By lease token: a queue that lost its data may lease the same job twice; the log then accepts only one of them. */
  private readonly runs = new Map<string, Run>();
  private readonly stopping = new AbortController();
  private readonly abandon = new AbortController();
  private readonly gone = new AbortController();
  /** Last known health of the engine; false until it is known. */
  private healthy = false;
  /** As last read; empty until they are known. */
  private runtimes: readonly RuntimeOffer[] = [];
  private beat = 0;
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
      readonly session: HeldSession;
      readonly log: Log;
    },
  ) {}

  start(): void {
    this.parts.sandbox.start();
    const { slots, heartbeatMs } = this.options;
    this.slotsDone = Promise.all(Array.from({ length: slots }, () => this.slot()));
    this.loops = Promise.all([
      this.parts.session.run(this.gone.signal),
      this.every(NO_SESSION_BEAT_MS, async () => void (this.parts.session.isOpen || (await this.beatOnce()))),
      this.every(heartbeatMs, () => this.heartbeat()),
      this.every(heartbeatMs, async () => {
        await this.checkEngine();
        await this.checkRuntimes();
      }),
      this.every(WATCH_INTERVAL_MS, () => this.parts.watch.check([...this.runs.values()])),
      // As often as heartbeats are sent: with rarer checks, a worker missing at two may have been alive between them.
      this.every(heartbeatMs, () => this.parts.orphans.sweep()),
    ]);
  }

  /** Lets runs finish for `shutdownMs`, then releases the others. Leaves no container behind. */
  async stop(): Promise<void> {
    const { workerId, shutdownMs, releaseTimeoutMs = RELEASE_TIMEOUT_MS } = this.options;
    this.stopping.abort();
    const inTime = await resolvesWithin(this.slotsDone, shutdownMs);
    if (!inTime) {
      for (const run of this.runs.values()) run.stopSignal.abort('shutdown' satisfies StopReason);
      await resolvesWithin(this.slotsDone, releaseTimeoutMs);
    }
    this.abandon.abort();
    // Kills the remaining runs. Their attempts are then released, under leases that are still renewed.
    await this.parts.sandbox.close();
    await resolvesWithin(this.slotsDone, releaseTimeoutMs);
    this.gone.abort();
    await this.loops;
    // During an outage: the queue drops a worker without heartbeats.
    await this.chore(() => this.parts.queue.workerGone(workerId));
  }

  private async slot(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        const ready = this.parts.session.isOpen && (await this.parts.sandbox.health()).healthy;
        const job = ready ? await this.reserve() : null;
        if (job) await this.execute(job);
        else if (!ready) await this.pause();
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
      lease: { executionId, attempt, leaseToken },
      seenVersion: 0,
      stop: (reason) => stopSignal.abort(reason satisfies StopReason),
    };
    this.runs.set(leaseToken, run);
    const startedAt = performance.now();
    let end: AttemptEnd;
    try {
      end = await this.parts.attempts.run(job, { stop: stopSignal.signal, abandon: this.abandon.signal });
    } finally {
      // Before the job is completed or released: otherwise a heartbeat would see the ended lease as a lost one.
      this.runs.delete(leaseToken);
    }
    this.tally.count(end, performance.now() - startedAt);
    await this.parts.attempts.finishJob(job, end, this.abandon.signal);
  }

  /** Waits only for Redis: an engine that responds slowly (up to 7 s) must not cost a lease. */
  private async heartbeat(): Promise<void> {
    await Promise.all([this.beatOnce(), ...[...this.runs.values()].map((run) => this.renew(run))]);
  }

  private async beatOnce(): Promise<void> {
    const { workerId, leaseMs, slots } = this.options;
    const running = [...this.runs.values()].map(({ job }) => jobId(job));
    this.beat += 1;
    const figures = { slots, healthy: this.healthy, ...this.tally.figures() };
    const { beat, runtimes } = this;
    await this.parts.queue.workerHeartbeat({ workerId, running, beat, figures, runtimes }, leaseMs);
  }

  /** Sends a heartbeat at once when the engine's health changes. */
  private async checkEngine(): Promise<void> {
    const { healthy } = await this.parts.sandbox.health();
    if (healthy === this.healthy) return;
    this.healthy = healthy;
    await this.beatOnce();
  }

  /** Sends a heartbeat at once when an image was added, replaced or removed. */
  private async checkRuntimes(): Promise<void> {
    if (!this.healthy) return;
    const runtimes = await this.parts.sandbox.offers();
    if (isSameJson(runtimes, this.runtimes)) return;
    this.runtimes = runtimes;
    await this.beatOnce();
  }

  /**
   * Restores a lease that a flushed Redis lost. If another worker holds the lease by now, that proves nothing: after a
   * flush the job may have been enqueued again from a lagging view, and the log will refuse the other worker's start.
   * Only the log decides whether this worker still has the attempt (RunWatch).
   */
  private async renew(run: Run): Promise<void> {
    const { job } = run;
    const { queue } = this.parts;
    const { workerId, leaseMs } = this.options;
    if (!this.holds(run) || (await queue.heartbeat(job, leaseMs)) || !this.holds(run)) return;
    await queue.restoreLease(job, workerId, leaseMs);
  }

  private holds(run: Run): boolean {
    return this.runs.has(run.lease.leaseToken);
  }

  private async every(intervalMs: number, work: () => Promise<unknown>): Promise<void> {
    while (!this.gone.signal.aborted) {
      await this.chore(work);
      await delay(intervalMs, { signal: this.gone.signal });
    }
  }

  private async chore(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Unavailable)) this.parts.log.error({ err: error }, 'worker chore failed');
    }
  }

  private pause(): Promise<void> {
    return delay(OUTAGE_RETRY_MS, { signal: this.stopping.signal });
  }
}
