import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { RequestExecution, StartExecution } from '../../execution/domain/execution-commands.js';
import { executionDecider } from '../../execution/domain/execution-decider.js';
import type { ExecutionSpec } from '../../execution/domain/execution-events.js';
import { executionStream } from '../../execution/domain/execution-state.js';
import { type Decided, DecisionRunner } from '../../kernel/decision-runner.js';
import { type LiveTask, taskDecider, taskStream } from '../../task/domain/task-decider.js';

/** "At most max_parallel runs" holds because the task's stream and the execution's are appended to as one. */
@CommandHandler(StartExecution)
export class StartExecutionHandler implements ICommandHandler<StartExecution> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: StartExecution): Promise<Decided<void>> {
    const { executionId, requester } = command;
    return this.decisions.run(command.metadata, async (streams) => {
      const [task, execution] = await Promise.all([
        streams.load(taskStream(command.taskId), taskDecider),
        streams.load(executionStream(executionId), executionDecider),
      ]);
      // A repeat may come when the run is over: the task must not take it for one that starts.
      if (execution.state.status !== 'absent') return;
      task.record(taskDecider.decide({ type: 'BeginRun', requester, executionId }, task.state));
      const request = new RequestExecution(specOf(task.state as LiveTask, command));
      execution.record(executionDecider.decide(request, execution.state));
    });
  }
}

function specOf(task: LiveTask, command: StartExecution): ExecutionSpec {
  const { script, script_type, priority, timeout_seconds, retry, limits } = task.definition;
  return {
    execution_id: command.executionId,
    task_id: task.task_id,
    owner_id: task.owner_id,
    task_definition_version: task.definition_version,
    executor: command.executor,
    script,
    script_type,
    input: command.input,
    priority,
    timeout_seconds,
    retry,
    limits,
  };
}
