/**
 * A worker with neither a session nor a heartbeat for this long is dead. A living worker whose session was cut opens
 * another within 250 ms, and sends heartbeats to the queue until then.
 */
export const DEAD_AFTER_MS = 2_000;

/**
 * A worker holds a session for as long as its process lives. The session ends at once with the process, whatever ends
 * that; a frozen process, or a host that vanished, keeps it.
 */
export abstract class WorkerSessions {
  /**
   * @returns the workers whose session is open; null if a missing session proves nothing, because all of them were
   * lost together a short time ago. @throws Unavailable
   */
  abstract open(workerIds: readonly string[]): Promise<ReadonlySet<string> | null>;
}
