import type { CommandBus } from '@nestjs/cqrs';

import type { Log } from '../platform/telemetry/log.js';
import { type Job, jobId, type JobQueue, type JobState } from '../queue/job-queue.js';
import { ExpireExternalExecution, ExpireUnreportedExecution, LoseAttempt } from '../tasks/domain/execution-commands.js';
import type { ActiveExecution } from './active-execution.js';
import { jobOf } from './effects.js';
import { type ExternalVerdict, isExternal, assessExternal } from './external-executions.js';
import { reconcilerMetadata, sendAsReconciler } from './reconciler-command.js';

/** Executions compared with Redis at a time. */
const RECONCILE_BATCH_MAX = 1_000;

/** Reads the orchestrator's table of active executions. */
export abstract class ActiveExecutions {
  /** Executions that are pending or running, ordered by id, after the given id. */
  abstract page(afterId: string | null, limit: number): Promise<readonly ActiveExecution[]>;
}

export type Verdict = 'fine' | 'enqueue' | 'lost';

/** What one check found about one execution. */
export interface Observation {
  readonly jobState: JobState;
  /** A worker's heartbeat names the attempt. */
  readonly workerHasIt: boolean;
  /** How long both the lease and the heartbeat have been missing, over successive checks. */
  readonly missingMs: number;
}

/**
 * Assesses one execution of the embedded executor. A missing lease alone proves nothing: a flushed Redis loses leases
 * and heartbeats at once, and the next heartbeat of a healthy worker restores both.
 */
export function assess(run: ActiveExecution, observation: Observation, leaseMs: number): Verdict {
  if (run.status === 'dead_lettered') return 'fine';
  if (run.status === 'pending') return observation.jobState === 'missing' ? 'enqueue' : 'fine';
  if (observation.jobState === 'leased' || observation.workerHasIt) return 'fine';
  return observation.missingMs >= leaseMs ? 'lost' : 'fine';
}

type JobRef = Pick<Job, 'executionId' | 'attempt'>;

/** From the previous check and from this one, by job id. */
interface Findings {
  readonly missingSince: ReadonlyMap<string, number>;
  readonly stillMissing: Map<string, number>;
  readonly stillWaiting: Set<string>;
}

/** Compares the log's view with Redis and sends commands where they differ. Runs on the leader. */
export class Reconciler {
  /** When an attempt was first found without lease and worker, milliseconds since the epoch, by job id. */
  private missingSince = new Map<string, number>();
  /**
   * Jobs enqueued here whose execution was pending at the last check, by job id. The orchestrator removes a job from
   * the queue before its table shows that the execution is over. In between, the job seems missing and is enqueued.
   */
  private readonly enqueued = new Map<string, JobRef>();

  constructor(
    private readonly active: ActiveExecutions,
    private readonly queue: JobQueue,
    private readonly commands: Pick<CommandBus, 'execute'>,
    private readonly log: Log,
    private readonly leaseMs: number,
    /** Without any report, after which an external execution expires. */
    private readonly unreportedMs: number,
  ) {}

  /** Checks all active executions once. @throws Unavailable if Postgres or Redis is down: nothing is concluded then */
  async reconcile(now = new Date()): Promise<void> {
    const { missingSince } = this;
    // No worker can renew a lease while Redis is down: after an outage, every missing lease gets its full time again.
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
   * Called while this process does not lead: forgets what was missing, which says nothing about later. Withdraws jobs
   * that were enqueued for executions that are now over: the next leader does not know about them.
   * @throws Unavailable if Postgres or Redis is down: call it again
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
      // No effect on a leased job. Most of these jobs are leased by now.
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
      const observation = { jobState, workerHasIt, missingMs: missing ? now.getTime() - since : 0 };
      const verdict = isExternal(run)
        ? assessExternal(run, this.unreportedMs, now)
        : assess(run, observation, this.leaseMs);
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
      expired: () => new ExpireExternalExecution(executionId, attempt, metadata),
      unreported: () => new ExpireUnreportedExecution(executionId, metadata),
    };
    await sendAsReconciler(this.commands, this.log, executionId, commands[verdict]());
  }
}
