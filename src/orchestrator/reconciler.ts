import type { CommandBus } from '@nestjs/cqrs';

import { ExpireExternalRun, ExpireUnreportedRun, LoseAttempt } from '../tasks/domain/execution-commands.js';
import { type Job, jobId, type JobQueue, type JobState } from '../queue/job-queue.js';
import type { Log } from '../platform/telemetry/log.js';
import type { ActiveExecution } from './active-execution.js';
import { jobOf } from './effects.js';
import { type ExternalVerdict, isExternal, assessExternal } from './external-runs.js';
import { reconcilerMetadata, sendAsReconciler } from './reconciler-command.js';

/** Runs compared with Redis at a time. */
const RECONCILE_BATCH_MAX = 1_000;

/** Reads the orchestrator's table of active runs. */
export abstract class ActiveExecutions {
  /** Runs that are pending or running, ordered by id, after the given id. */
  abstract page(afterId: string | null, limit: number): Promise<readonly ActiveExecution[]>;
}

export type Verdict = 'fine' | 'enqueue' | 'lost';

/** What is known of one run at one look. */
export interface Observation {
  readonly jobState: JobState;
  /** The worker's heartbeat is there, and names the run. */
  readonly workerHasIt: boolean;
  /** For how long both the lease and the worker's word have been missing, over successive looks. */
  readonly missingMs: number;
}

/**
 * Judges one run of the embedded executor. A lease alone proves nothing: a flushed Redis loses leases and heartbeats at
 * once, and the next heartbeat of a healthy worker restores both.
 */
export function assess(run: ActiveExecution, sighting: Observation, leaseMs: number): Verdict {
  if (run.status === 'dead_lettered') return 'fine';
  if (run.status === 'pending') return sighting.jobState === 'missing' ? 'enqueue' : 'fine';
  if (sighting.jobState === 'leased' || sighting.workerHasIt) return 'fine';
  return sighting.missingMs >= leaseMs ? 'lost' : 'fine';
}

type JobRef = Pick<Job, 'executionId' | 'attempt'>;

/** Of the look before and of this one, by job id. */
interface Findings {
  readonly missingSince: ReadonlyMap<string, number>;
  readonly stillMissing: Map<string, number>;
  readonly stillWaiting: Set<string>;
}

/** Compares what should be under way with what is, and issues commands where they differ. Runs with the leader. */
export class Reconciler {
  /** When a run was first found without lease and worker, milliseconds since the epoch, by job id. */
  private missingSince = new Map<string, number>();
  /**
   * Jobs enqueued from here whose run still waited when last seen, by job id. The orchestrator takes a job out of the
   * queue before its table says that the run is over: in between, the job looks missing, and is put in for nothing.
   */
  private readonly enqueued = new Map<string, JobRef>();

  constructor(
    private readonly active: ActiveExecutions,
    private readonly queue: JobQueue,
    private readonly commands: Pick<CommandBus, 'execute'>,
    private readonly log: Log,
    private readonly leaseMs: number,
    /** After which a run for an external worker, of which nothing is reported, is given up. */
    private readonly unreportedMs: number,
  ) {}

  /** One look at all active runs. @throws Unavailable where Postgres or Redis is away: nothing is concluded then */
  async reconcile(now = new Date()): Promise<void> {
    const { missingSince } = this;
    // Nobody can renew a lease while Redis is away: what was missing ahead of an outage has its time again after it.
    this.missingSince = new Map();
    const workers = await this.queue.workers();
    const claimed = new Set(workers.flatMap(({ running }) => running));
    const stillMissing = new Map<string, number>();
    const stillWaiting = new Set<string>();
    for await (const runs of this.pages()) {
      await this.compare(runs, claimed, { missingSince, stillMissing, stillWaiting }, now);
    }
    this.missingSince = stillMissing;
    await this.withdraw(stillWaiting);
  }

  /**
   * For whoever does not lead, or not any more: what was missing then says nothing about now. A job that was put in for
   * a run that is over by now is taken back, since who leads next knows nothing of it.
   * @throws Unavailable where Postgres or Redis is away: to be repeated
   */
  async standBy(): Promise<void> {
    this.missingSince.clear();
    if (this.enqueued.size === 0) return;
    const waiting = new Set<string>();
    for await (const runs of this.pages()) {
      for (const run of runs) {
        if (run.status === 'pending') waiting.add(jobId({ executionId: run.execution_id, attempt: run.attempt }));
      }
    }
    await this.withdraw(waiting);
  }

  private async *pages(): AsyncGenerator<readonly ActiveExecution[]> {
    let afterId: string | null = null;
    do {
      const runs: readonly ActiveExecution[] = await this.active.page(afterId, RECONCILE_BATCH_MAX);
      yield runs;
      afterId = runs.length < RECONCILE_BATCH_MAX ? null : (runs.at(-1)?.execution_id ?? null);
    } while (afterId !== null);
  }

  private async withdraw(stillWaiting: ReadonlySet<string>): Promise<void> {
    for (const [id, job] of this.enqueued) {
      if (stillWaiting.has(id)) continue;
      // Does nothing to a job that is held: that is what usually became of it.
      await this.queue.cancel(job);
      this.enqueued.delete(id);
    }
  }

  private async compare(
    runs: readonly ActiveExecution[],
    claimed: ReadonlySet<string>,
    { missingSince, stillMissing, stillWaiting }: Findings,
    now: Date,
  ): Promise<void> {
    const ids = runs.map((run) => ({ executionId: run.execution_id, attempt: run.attempt }));
    const states = await this.queue.inspect(ids);
    for (const [index, run] of runs.entries()) {
      const id = jobId(ids[index]!);
      const jobState = states[index] ?? 'missing';
      const workerHasIt = claimed.has(id);
      const missing = run.status === 'running' && jobState !== 'leased' && !workerHasIt;
      const since = missingSince.get(id) ?? now.getTime();
      if (missing) stillMissing.set(id, since);
      const sighting = { jobState, workerHasIt, missingMs: missing ? now.getTime() - since : 0 };
      const verdict = isExternal(run)
        ? assessExternal(run, this.unreportedMs, now)
        : assess(run, sighting, this.leaseMs);
      await this.act(run, verdict, now);
      if (run.status === 'pending' && this.enqueued.has(id)) stillWaiting.add(id);
    }
  }

  private async act(run: ActiveExecution, verdict: Verdict | ExternalVerdict, now: Date): Promise<void> {
    if (verdict === 'fine') return;
    const { execution_id: executionId, attempt } = run;
    this.log.info({ execution_id: executionId, attempt, verdict }, 'reconciler acts');
    if (verdict === 'enqueue') {
      const job = jobOf(run);
      this.enqueued.set(jobId(job), { executionId, attempt });
      await this.queue.enqueue({ ...job, ...(run.traceparent !== null && { traceparent: run.traceparent }) });
      return;
    }
    const metadata = reconcilerMetadata(executionId);
    const commands = {
      lost: () => new LoseAttempt(executionId, attempt, { now, random: Math.random() }, metadata),
      expired: () => new ExpireExternalRun(executionId, attempt, metadata),
      unreported: () => new ExpireUnreportedRun(executionId, metadata),
    };
    await sendAsReconciler(this.commands, this.log, executionId, commands[verdict]());
  }
}
