import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { type Decided, DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { StartExecution } from '../domain/execution-commands.js';
import { executionDecider } from '../domain/execution-decider.js';
import { executionStream } from '../domain/execution-state.js';
import { taskDecider, taskStream } from '../domain/task-decider.js';
import { ExecutionRequests } from './execution-requests.js';

/** "At most max_parallel executions" holds because one append writes the task's stream and the execution's. */
@CommandHandler(StartExecution)
export class StartExecutionHandler implements ICommandHandler<StartExecution> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly requests: ExecutionRequests,
  ) {}

  execute(command: StartExecution): Promise<Decided<void>> {
    return this.decisions.run(command.metadata, async (streams) => {
      const [task, execution] = await Promise.all([
        streams.load(taskStream(command.taskId), taskDecider),
        streams.begin(executionStream(command.executionId), executionDecider),
      ]);
      // A repeat may come after the execution has ended: the task must not record another start.
      if (execution.state.status === 'absent') await this.requests.record(task, execution, command);
    });
  }
}
