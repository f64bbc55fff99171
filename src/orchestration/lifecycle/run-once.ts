import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { executionDecider } from '../../execution/domain/execution-decider.js';
import type { ExecutionSpec } from '../../execution/domain/execution-events.js';
import { executionStream } from '../../execution/domain/execution-state.js';
import { type Decided, DecisionRunner } from '../../kernel/decision-runner.js';
import type { Requester } from '../../kernel/requester.js';
import type { CreateTask } from '../../task/domain/task-commands.js';
import { taskDecider, taskStream } from '../../task/domain/task-decider.js';
import { beginRun } from './begin-run.js';

/** Creates a task and starts its run: both or neither. */
export class RunOnce {
  constructor(
    readonly create: CreateTask,
    readonly executionId: string,
    readonly requester: Requester,
    readonly input: ExecutionSpec['input'],
  ) {}
}

@CommandHandler(RunOnce)
export class RunOnceHandler implements ICommandHandler<RunOnce> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute({ create, executionId, requester, input }: RunOnce): Promise<Decided<void>> {
    return this.decisions.run(create.metadata, async (streams) => {
      const [task, execution] = await Promise.all([
        streams.begin(taskStream(create.taskId), taskDecider),
        streams.begin(executionStream(executionId), executionDecider),
      ]);
      task.record(taskDecider.decide(create, task.state));
      // Of one request: its schema has seen to the input's files.
      beginRun(task, execution, { executionId, requester, executor: 'embedded', input, inputPaths: [] });
    });
  }
}
