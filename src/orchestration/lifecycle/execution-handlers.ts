import type { Type } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import {
  CancelExecution,
  DiscardDeadLetter,
  type ExecutionCommand,
  ExpireExternalRun,
  LoseAttempt,
  RedriveExecution,
  ReleaseAttempt,
  ReportExternalRun,
  ReportFailure,
  ReportSuccess,
  type RequestExecution,
  StartAttempt,
} from '../../execution/domain/execution-commands.js';
import { executionDecider } from '../../execution/domain/execution-decider.js';
import { type ExecutionState, executionStream, outcomeOf } from '../../execution/domain/execution-state.js';
import { type Decided, DecisionRunner } from '../../kernel/decision-runner.js';
import { taskDecider, taskStream } from '../../task/domain/task-decider.js';

type LifecycleCommand = Exclude<ExecutionCommand, RequestExecution>;

const executionIdOf = (command: LifecycleCommand): string =>
  'hold' in command ? command.hold.executionId : command.executionId;

/**
 * Decides on the execution and, where that ends or revives the run, on its task in the same append: whoever sees a run
 * as ended can start, update or delete the task at once.
 */
export function decideExecution(
  decisions: DecisionRunner,
  command: LifecycleCommand,
): Promise<Decided<ExecutionState>> {
  const executionId = executionIdOf(command);
  return decisions.run(command.metadata, async (streams) => {
    const execution = await streams.load(executionStream(executionId), executionDecider);
    const before = outcomeOf(execution.state);
    execution.record(executionDecider.decide(command, execution.state));
    const { state } = execution;
    const after = outcomeOf(state);
    if (state.status === 'absent' || before === after) return state;
    const task = await streams.load(taskStream(state.spec.task_id), taskDecider);
    task.record(
      after === null
        ? taskDecider.decide({ type: 'ResumeRun', executionId }, task.state)
        : taskDecider.decide({ type: 'FinishRun', executionId, outcome: after }, task.state),
    );
    return state;
  });
}

function handlerOf(command: Type<LifecycleCommand>): Type<ICommandHandler> {
  @CommandHandler(command)
  class LifecycleHandler {
    constructor(private readonly decisions: DecisionRunner) {}

    execute(received: LifecycleCommand) {
      return decideExecution(this.decisions, received);
    }
  }
  Object.defineProperty(LifecycleHandler, 'name', { value: `${command.name}Handler` });
  return LifecycleHandler;
}

/** One handler a command, all with the same way: the decider tells them apart. */
export const executionCommandHandlers: Type<ICommandHandler>[] = [
  StartAttempt,
  ReportSuccess,
  ReportFailure,
  ReleaseAttempt,
  CancelExecution,
  LoseAttempt,
  ExpireExternalRun,
  RedriveExecution,
  DiscardDeadLetter,
  ReportExternalRun,
].map((command) => handlerOf(command as Type<LifecycleCommand>));
