import { Injectable } from '@nestjs/common';

import { EventStore } from '../../event-sourcing/core/event-store.js';
import { eventsAs } from '../../event-sourcing/core/event.js';
import { taskStream } from '../domain/task-decider.js';
import type { TaskEvent } from '../domain/task-events.js';

/** Finds owners in the log: a task's first event names its owner and remains after the task is deleted. */
@Injectable()
export class TaskOwners {
  constructor(private readonly store: EventStore) {}

  /** @returns null for a task that never existed; a deleted task keeps its owner */
  async ownerOf(taskId: string): Promise<string | null> {
    const [first] = eventsAs<TaskEvent>(await this.store.readStream(taskStream(taskId), { limit: 1 }));
    return first?.type === 'TaskCreated' ? first.data.owner_id : null;
  }
}
