import type { JobQueue } from '../../kernel/ports/job-queue.js';
import type { Sandbox } from '../../kernel/ports/sandbox.js';
import type { Log } from '../../platform/telemetry/log.js';

/** Removes the containers of workers that died. */
export class OrphanSweep {
  /** When a worker's heartbeat was first found missing, milliseconds since the epoch. */
  private missingSince = new Map<string, number>();

  constructor(
    private readonly sandbox: Sandbox,
    private readonly queue: JobQueue,
    private readonly log: Log,
    /** A flushed Redis forgets the living too: only who stays missing for so long is dead. */
    private readonly graceMs: number,
  ) {}

  async sweep(now = Date.now()): Promise<void> {
    const { healthy } = await this.sandbox.health();
    if (!healthy) return;
    const { missingSince } = this;
    // Nobody can say that it lives while Redis is away: who was missing ahead of an outage has its time again after it.
    this.missingSince = new Map();
    const alive = new Set((await this.queue.workers()).map(({ workerId }) => workerId));
    const stillMissing = new Map<string, number>();
    const removed = await this.sandbox.sweep((workerId) => {
      if (alive.has(workerId)) return true;
      const since = missingSince.get(workerId) ?? now;
      stillMissing.set(workerId, since);
      return now - since < this.graceMs;
    });
    this.missingSince = stillMissing;
    if (removed > 0) this.log.warn({ containers: removed }, 'removed containers of dead workers');
  }
}
