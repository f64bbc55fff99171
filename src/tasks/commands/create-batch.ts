import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { type Decided, DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import type { EventMetadata } from '../../event-sourcing/core/event.js';
import { batchDecider } from '../domain/batch-decider.js';
import { batchExecutionId, batchStream, batchTaskId } from '../domain/batch-state.js';
import { executionDecider } from '../domain/execution-decider.js';
import { executionStream } from '../domain/execution-state.js';
import { CreateTask } from '../domain/task-commands.js';
import { taskDecider, taskStream } from '../domain/task-decider.js';
import type { TaskDefinition } from '../domain/task-events.js';
import type { OneShotContent } from './create-and-start-task.js';
import { ExecutionRequests } from './execution-requests.js';

/** A new task, to be executed once. Its script and its input are stored. */
export interface BatchTask {
  readonly definition: TaskDefinition;
  readonly content: OneShotContent;
}

/** Creates tasks and starts an execution of each: all or none. */
export class CreateBatch {
  constructor(
    readonly batchId: string,
    readonly requester: { readonly userId: string; readonly isAdmin: boolean },
    readonly tasks: readonly BatchTask[],
    readonly metadata: EventMetadata,
  ) {}
}

@CommandHandler(CreateBatch)
export class CreateBatchHandler implements ICommandHandler<CreateBatch> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly requests: ExecutionRequests,
  ) {}

  /** The batch's event is the last one of the append: it has the id of a request with an Idempotency-Key. */
  execute({ batchId, requester, tasks, metadata }: CreateBatch): Promise<Decided<void>> {
    const ownerId = requester.userId;
    return this.decisions.run(metadata, async (streams) => {
      for (const [index, { definition, content }] of tasks.entries()) {
        const taskId = batchTaskId(batchId, index);
        const executionId = batchExecutionId(batchId, index);
        const task = await streams.begin(taskStream(taskId), taskDecider);
        const execution = await streams.begin(executionStream(executionId), executionDecider);
        task.record(taskDecider.decide(new CreateTask(taskId, ownerId, definition, metadata), task.state));
        const embedded = { executor: 'embedded', ...content } as const;
        await this.requests.record(task, execution, { executionId, requester, content: embedded, overrides: {} });
      }
      const batch = await streams.begin(batchStream(batchId), batchDecider);
      const command = { type: 'RecordBatch', batchId, ownerId, size: tasks.length } as const;
      batch.record(batchDecider.decide(command, batch.state));
    });
  }
}
