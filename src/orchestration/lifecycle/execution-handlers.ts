import type { Type } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import {
  CancelExecution,
  DiscardDeadLetter,
  type ExecutionCommand,
  ExpireExternalRun,
  ExpireUnreportedRun,
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
import { fold } from '../../kernel/decider.js';
import { type Decided, DecisionRunner } from '../../kernel/decision-runner.js';
import { requireVersion } from '../../kernel/version-condition.js';
import { taskDecider, taskStream } from '../../task/domain/task-decider.js';

type LifecycleCommand = Exclude<ExecutionCommand, RequestExecution>;

const executionIdOf = (command: LifecycleCommand): string =>
  'hold' in command ? command.hold.executionId : command.executionId;

/**
 * Decides on the execution and, where that ends or revives the run, on its task in the same append: whoever sees a run
 * as ended can start, update or delete the task at once. The task's event stands first: views are written up to any
 * position, also one in the middle of an append, and a run must not be seen as ended whose task is still seen as busy.
 */
export function decideExecution(
  decisions: DecisionRunner,
  command: LifecycleCommand,
): Promise<Decided<ExecutionState>> {
  const executionId = executionIdOf(command);
  return decisions.run(command.metadata, async (streams) => {
    const execution = await streams.load(executionStream(executionId), executionDecider);
    const events = executionDecider.decide(command, execution.state);
    if ('condition' in command) requireVersion(command.condition, execution.version, 'Execution');
    const state = fold(executionDecider, execution.state, events);
    const before = outcomeOf(execution.state);
    const after = outcomeOf(state);
    if (state.status !== 'absent' && before !== after) {
      const task = await streams.load(taskStream(state.spec.task_id), taskDecider);
      task.record(
        after === null
          ? taskDecider.decide({ type: 'ResumeRun', executionId }, task.state)
          : taskDecider.decide({ type: 'FinishRun', executionId, outcome: after }, task.state),
      );
    }
    execution.record(events);
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
  ExpireUnreportedRun,
  RedriveExecution,
  DiscardDeadLetter,
  ReportExternalRun,
].map((command) => handlerOf(command as Type<LifecycleCommand>));
