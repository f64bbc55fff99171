import { Injectable } from '@nestjs/common';

import { eventsAs } from '../../kernel/event.js';
import { EventStore } from '../../kernel/ports/event-store.js';
import { TaskOwners } from '../../kernel/ports/task-owners.js';
import { taskStream } from '../domain/task-decider.js';
import type { TaskEvent } from '../domain/task-events.js';

/** The first event of a task names its owner, and stays when the task is deleted. */
@Injectable()
export class LogTaskOwners extends TaskOwners {
  constructor(private readonly store: EventStore) {
    super();
  }

  async ownerOf(taskId: string): Promise<string | null> {
    const [first] = eventsAs<TaskEvent>(await this.store.readStream(taskStream(taskId), { limit: 1 }));
    return first?.type === 'TaskCreated' ? first.data.owner_id : null;
  }
}
