import { fold } from '../../event-sourcing/core/decider.js';
import type { Decided, DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { requireVersion } from '../../kernel/version-condition.js';
import type { ExecutionCommand, RequestExecution } from '../domain/execution-commands.js';
import { executionDecider } from '../domain/execution-decider.js';
import { type ExecutionState, executionStream, outcomeOf } from '../domain/execution-state.js';
import { taskDecider, taskStream } from '../domain/task-decider.js';

type LifecycleCommand = Exclude<ExecutionCommand, RequestExecution>;

const executionIdOf = (command: LifecycleCommand): string =>
  'lease' in command ? command.lease.executionId : command.executionId;

/**
 * Decides on the execution. If that ends or revives it, decides on its task in the same append: a client that sees an
 * execution as ended can start, update or delete the task at once. The task's event comes first. Views may stop at any
 * position, even inside an append, and must not show an ended execution together with a task that is still busy.
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
          ? taskDecider.decide({ type: 'ResumeExecution', executionId }, task.state)
          : taskDecider.decide({ type: 'FinishExecution', executionId, outcome: after }, task.state),
      );
    }
    execution.record(events);
    return state;
  });
}
