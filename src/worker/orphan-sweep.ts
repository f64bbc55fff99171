import { DEAD_AFTER_MS, type WorkerSessions } from '../platform/postgres/worker-sessions.js';
import type { Log } from '../platform/telemetry/log.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { Sandbox } from '../sandbox/sandbox.js';

/** Removes the containers of dead workers. */
export class OrphanSweep {
  /** When a worker's heartbeat was first found missing, milliseconds since the epoch. */
  private missingSince = new Map<string, number>();

  constructor(
    private readonly sandbox: Sandbox,
    private readonly queue: JobQueue,
    private readonly sessions: WorkerSessions,
    private readonly log: Log,
    /** A flushed Redis loses live workers as well: one missing for this long is dead, with or without a session. */
    private readonly graceMs: number,
  ) {}

  async sweep(now = Date.now()): Promise<void> {
    const { healthy } = await this.sandbox.health();
    if (!healthy) return;
    const { missingSince } = this;
    // Workers cannot send heartbeats while Redis is down: after an outage the grace of each missing worker starts anew.
    this.missingSince = new Map();
    const alive = new Set((await this.queue.workers()).map(({ workerId }) => workerId));
    const ended = await this.withoutSession([...missingSince.keys()]);
    const stillMissing = new Map<string, number>();
    const removed = await this.sandbox.sweep((workerId) => {
      if (alive.has(workerId)) return true;
      const since = missingSince.get(workerId) ?? now;
      stillMissing.set(workerId, since);
      return now - since < (ended.has(workerId) ? Math.min(DEAD_AFTER_MS, this.graceMs) : this.graceMs);
    });
    this.missingSince = stillMissing;
    if (removed > 0) this.log.warn({ containers: removed }, 'removed containers of dead workers');
  }

  private async withoutSession(workerIds: readonly string[]): Promise<ReadonlySet<string>> {
    const open = workerIds.length === 0 ? null : await this.sessions.open(workerIds);
    return new Set(open === null ? [] : workerIds.filter((id) => !open.has(id)));
  }
}
