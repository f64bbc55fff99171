import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { StartExecution } from '../domain/execution-commands.js';
import { executionDecider } from '../domain/execution-decider.js';
import { executionStream } from '../domain/execution-state.js';
import { type Decided, DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { taskDecider, taskStream } from '../domain/task-decider.js';
import { requestExecution } from './request-execution.js';

/** "At most max_parallel runs" holds because the task's stream and the execution's are appended to as one. */
@CommandHandler(StartExecution)
export class StartExecutionHandler implements ICommandHandler<StartExecution> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: StartExecution): Promise<Decided<void>> {
    return this.decisions.run(command.metadata, async (streams) => {
      const [task, execution] = await Promise.all([
        streams.load(taskStream(command.taskId), taskDecider),
        streams.begin(executionStream(command.executionId), executionDecider),
      ]);
      // A repeat may come when the run is over: the task must not take it for one that starts.
      if (execution.state.status === 'absent') requestExecution(task, execution, command);
    });
  }
}
