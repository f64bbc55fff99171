import type { CommandBus } from '@nestjs/cqrs';

import { DEAD_AFTER_MS, type WorkerSessions } from '../platform/postgres/worker-sessions.js';
import type { Log } from '../platform/telemetry/log.js';
import type { JobQueue } from '../queue/job-queue.js';
import { LoseAttempt } from '../tasks/domain/execution-commands.js';
import { reconcilerMetadata, sendAsReconciler } from './reconciler-command.js';

export interface HeldAttempt {
  readonly execution_id: string;
  readonly attempt: number;
}

/** Reads the attempts that workers hold from the orchestrator's table. */
export abstract class HeldAttempts {
  /** The workers of all running attempts. @throws Unavailable */
  abstract workers(): Promise<readonly string[]>;

  /** The attempts that a worker holds. @throws Unavailable */
  abstract of(workerId: string): Promise<readonly HeldAttempt[]>;
}

interface Absence {
  readonly since: number;
  /** The worker's last heartbeat at that time. */
  readonly beat: number | undefined;
}

/**
 * Finds workers whose process has exited before their leases expire: a worker's database session ends with its process.
 * Their attempts are given up at once. A wrong verdict is safe: the log refuses reports of a worker that has lost its
 * attempt. User code does not run beside the next attempt: it ends with its worker, because the engine closes the
 * launcher's input.
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

  /** Called while this process does not lead: what was missing says nothing about later. */
  forget(): void {
    this.absences.clear();
  }

  /**
   * @returns whether leases were dropped: reserved jobs whose attempt had not started are now missing from the queue
   * @throws Unavailable if Postgres or Redis is down: nothing is concluded, and every absence starts over
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
    for (const workerId of dead) jobs += await this.loseAttemptsOf(workerId);
    return jobs > 0;
  }

  /** May be repeated: while the orchestrator's table lags behind, it still lists the attempts. */
  private async loseAttemptsOf(workerId: string): Promise<number> {
    // The attempts first: if leases were dropped first, other workers would reserve jobs that the log refuses to start.
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

/** A new heartbeat shows that the worker is alive: its absence starts over. */
function continued(before: Absence | undefined, beat: number | undefined, now: number): Absence {
  if (before && (beat === undefined || beat === before.beat)) return before;
  return { since: now, beat };
}
