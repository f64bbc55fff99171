/** Whose a task is, for parts that list things of a task without knowing tasks. */
export abstract class TaskOwners {
  /** @returns null for a task that never was; a deleted one still has its owner */
  abstract ownerOf(taskId: string): Promise<string | null>;
}
