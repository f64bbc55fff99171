import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { type Decided, DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import type { Requester } from '../../kernel/requester.js';
import type { ExecutionContent } from '../domain/execution-commands.js';
import { executionDecider } from '../domain/execution-decider.js';
import { executionStream } from '../domain/execution-state.js';
import type { CreateTask } from '../domain/task-commands.js';
import { taskDecider, taskStream } from '../domain/task-decider.js';
import { ExecutionRequests } from './execution-requests.js';

/** Creates a task and starts an execution of it: both or neither. */
export class CreateAndStartTask {
  constructor(
    readonly create: CreateTask,
    readonly executionId: string,
    readonly requester: Requester,
    readonly content: Pick<ExecutionContent, 'input' | 'inputPaths' | 'webhook'>,
  ) {}
}

@CommandHandler(CreateAndStartTask)
export class CreateAndStartTaskHandler implements ICommandHandler<CreateAndStartTask> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly requests: ExecutionRequests,
  ) {}

  execute({ create, executionId, requester, content: given }: CreateAndStartTask): Promise<Decided<void>> {
    return this.decisions.run(create.metadata, async (streams) => {
      const [task, execution] = await Promise.all([
        streams.begin(taskStream(create.taskId), taskDecider),
        streams.begin(executionStream(executionId), executionDecider),
      ]);
      task.record(taskDecider.decide(create, task.state));
      const content = { executor: 'embedded', suite: undefined, ...given } as const;
      await this.requests.record(task, execution, { executionId, requester, content, overrides: {} });
    });
  }
}
