import type { CommandBus } from '@nestjs/cqrs';

import { LoseAttempt } from '../tasks/domain/execution-commands.js';
import type { JobQueue } from '../queue/job-queue.js';
import { DEAD_AFTER_MS, type WorkerSessions } from '../platform/postgres/worker-sessions.js';
import type { Log } from '../platform/telemetry/log.js';
import { reconcilerMetadata, sendAsReconciler } from './reconciler-command.js';

export interface HeldAttempt {
  readonly execution_id: string;
  readonly attempt: number;
}

/** Reads from the orchestrator's table which attempts workers hold. */
export abstract class HeldAttempts {
  /** The workers of all attempts that run. @throws Unavailable */
  abstract workers(): Promise<readonly string[]>;

  /** What a worker holds. @throws Unavailable */
  abstract of(workerId: string): Promise<readonly HeldAttempt[]>;
}

interface Absence {
  readonly since: number;
  /** Of the worker's heartbeats, the last one there was then. */
  readonly beat: number | undefined;
}

/**
 * Notices workers whose process is gone, before their leases are over: their sessions end with them. What they held is
 * given up at once. It is safe to be wrong: the log refuses the word of a worker that has lost its attempt. User code
 * does not run on beside the next attempt: it dies with its worker, since the engine closes the launcher's input.
 */
export class DeadWorkers {
  private absences = new Map<string, Absence>();

  constructor(
    private readonly sessions: WorkerSessions,
    private readonly queue: JobQueue,
    private readonly held: HeldAttempts,
    private readonly commands: Pick<CommandBus, 'execute'>,
    private readonly log: Log,
  ) {}

  /** For whoever does not lead: what was missing then says nothing about later. */
  forget(): void {
    this.absences.clear();
  }

  /**
   * @returns whether leases were dropped: jobs that nobody had started are missing in the queue now
   * @throws Unavailable where Postgres or Redis is away: nothing is concluded, and every absence begins anew
   */
  async check(now = Date.now()): Promise<boolean> {
    const { absences } = this;
    this.absences = new Map();
    const beats = new Map((await this.queue.workers()).map(({ workerId, beat }) => [workerId, beat]));
    const known = [...new Set([...beats.keys(), ...(await this.held.workers())])];
    const open = await this.sessions.open(known);
    if (open === null) return false;
    const dead: string[] = [];
    for (const workerId of known) {
      if (open.has(workerId)) continue;
      const absence = continued(absences.get(workerId), beats.get(workerId), now);
      this.absences.set(workerId, absence);
      if (now - absence.since >= DEAD_AFTER_MS) dead.push(workerId);
    }
    let jobs = 0;
    for (const workerId of dead) jobs += await this.giveUp(workerId);
    return jobs > 0;
  }

  /** May be repeated: while the orchestrator's table lags behind, the attempts still stand there. */
  private async giveUp(workerId: string): Promise<number> {
    // The attempts first: a lease that is dropped before lets another worker reserve a job that the log refuses.
    const attempts = await this.held.of(workerId);
    for (const { execution_id, attempt } of attempts) await this.lose(execution_id, attempt);
    const jobs = await this.queue.dropLeases(workerId);
    await this.queue.workerGone(workerId);
    if (jobs > 0) this.log.warn({ worker: workerId, attempts: attempts.length, jobs }, 'gave up a dead worker');
    return jobs;
  }

  private lose(executionId: string, attempt: number): Promise<void> {
    const options = { now: new Date(), random: Math.random() };
    const command = new LoseAttempt(executionId, attempt, options, reconcilerMetadata(executionId));
    return sendAsReconciler(this.commands, this.log, executionId, command);
  }
}

/** A heartbeat that came since is the word of a living worker: its absence begins anew. */
function continued(before: Absence | undefined, beat: number | undefined, now: number): Absence {
  if (before && (beat === undefined || beat === before.beat)) return before;
  return { since: now, beat };
}
