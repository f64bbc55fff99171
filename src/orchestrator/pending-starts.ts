import type { BatchItem } from '../tasks/domain/batch-state.js';

/**
 * The items of a batch that are still to be started: in order for each task, since a task that is busy holds up its own
 * items only.
 */
export class PendingStarts {
  /** By task; the task whose turn comes first stands first. */
  private readonly queues = new Map<string, BatchItem[]>();

  constructor(items: readonly BatchItem[], taskOf: (item: BatchItem) => string) {
    for (const item of items) {
      const task = taskOf(item);
      const queue = this.queues.get(task);
      if (queue) queue.push(item);
      else this.queues.set(task, [item]);
    }
  }

  get isEmpty(): boolean {
    return this.queues.size === 0;
  }

  /** In the order of their turns. */
  get tasks(): string[] {
    return [...this.queues.keys()];
  }

  next(task: string): BatchItem | undefined {
    return this.queues.get(task)?.[0];
  }

  /** The next item of the task needs no start any more. */
  remove(task: string): void {
    const queue = this.queues.get(task);
    queue?.shift();
    if (queue?.length === 0) this.queues.delete(task);
  }

  /** The other tasks have their turns first. */
  moveToEnd(task: string): void {
    const queue = this.queues.get(task);
    if (!queue) return;
    this.queues.delete(task);
    this.queues.set(task, queue);
  }
}
