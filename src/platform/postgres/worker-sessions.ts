/**
 * A worker that has neither a session nor anything to say for so long is dead. A living one whose session was cut opens
 * another one within 250 ms, and tells the queue of itself until it has.
 */
export const DEAD_AFTER_MS = 2_000;

/**
 * A worker holds a session for as long as its process lives. It ends with the process, whatever ends that, and at once; a
 * process that is frozen, or a host that vanished, keeps it.
 */
export abstract class WorkerSessions {
  /**
   * @returns those of the workers whose session is open; null where a missing session proves nothing, since all of them
   * were lost together a short time ago. @throws Unavailable
   */
  abstract open(workerIds: readonly string[]): Promise<ReadonlySet<string> | null>;
}
