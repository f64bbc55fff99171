import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { type Decided, DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import type { Requester } from '../../kernel/requester.js';
import { executionDecider } from '../domain/execution-decider.js';
import type { ExecutionSpec } from '../domain/execution-events.js';
import { executionStream } from '../domain/execution-state.js';
import type { CreateTask } from '../domain/task-commands.js';
import { taskDecider, taskStream } from '../domain/task-decider.js';
import { ExecutionRequests } from './execution-requests.js';

/** What the task is executed with. */
export interface OneShotContent {
  readonly input: ExecutionSpec['input'];
  /** Of the files in `input`. */
  readonly inputPaths: readonly string[];
  /** Null: the program is run once, without the tests of its task. */
  readonly suite: null | undefined;
  readonly webhook: ExecutionSpec['webhook'];
}

/** Creates a task and starts an execution of it: both or neither. */
export class CreateAndStartTask {
  constructor(
    readonly create: CreateTask,
    readonly executionId: string,
    readonly requester: Requester,
    readonly content: OneShotContent,
  ) {}
}

@CommandHandler(CreateAndStartTask)
export class CreateAndStartTaskHandler implements ICommandHandler<CreateAndStartTask> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly requests: ExecutionRequests,
  ) {}

  execute({ create, executionId, requester, content }: CreateAndStartTask): Promise<Decided<void>> {
    return this.decisions.run(create.metadata, async (streams) => {
      const [task, execution] = await Promise.all([
        streams.begin(taskStream(create.taskId), taskDecider),
        streams.begin(executionStream(executionId), executionDecider),
      ]);
      task.record(taskDecider.decide(create, task.state));
      const embedded = { executor: 'embedded', ...content } as const;
      await this.requests.record(task, execution, { executionId, requester, content: embedded, overrides: {} });
    });
  }
}
