import type { Participant } from '../../event-sourcing/core/decision-session.js';
import { InvalidFields } from '../../kernel/errors.js';
import { fileAtScriptPath } from '../../sandbox/languages.js';
import type { ScriptType } from '../../sandbox/sandbox.js';
import { INPUT_FILE_AT_SCRIPT_PATH, RequestExecution, type StartExecution } from '../domain/execution-commands.js';
import { executionDecider } from '../domain/execution-decider.js';
import type { ExecutionEvent, ExecutionSpec } from '../domain/execution-events.js';
import type { ExecutionState } from '../domain/execution-state.js';
import { type LiveTask, taskDecider, type TaskState } from '../domain/task-decider.js';
import type { TaskEvent } from '../domain/task-events.js';

/**
 * Starts an execution on both streams. The task's event comes first, as at the end (decide-execution.ts).
 * @throws DomainError as the task's decider does; InvalidFields for a file at the path of the task's own script
 */
export function requestExecution(
  task: Participant<TaskState, TaskEvent>,
  execution: Participant<ExecutionState, ExecutionEvent>,
  start: Pick<StartExecution, 'executionId' | 'requester' | 'executor' | 'input' | 'inputPaths'>,
): void {
  const { requester, executionId } = start;
  task.record(taskDecider.decide({ type: 'BeginExecution', requester, executionId }, task.state));
  const { script_type } = (task.state as LiveTask).definition;
  requireFreeScriptPath(script_type, start.inputPaths);
  const request = new RequestExecution(specOf(task.state as LiveTask, start));
  execution.record(executionDecider.decide(request, execution.state));
}

/** The free file names depend on the task's language, which the input's schema does not know. */
function requireFreeScriptPath(scriptType: ScriptType, paths: readonly string[]): void {
  const index = fileAtScriptPath(scriptType, paths);
  if (index === -1) return;
  const field = `input.files.${index}.path`;
  throw new InvalidFields([{ field, value: '[redacted]', tag: 'invalid', message: INPUT_FILE_AT_SCRIPT_PATH }]);
}

function specOf(
  task: LiveTask,
  { executionId, executor, input }: Pick<StartExecution, 'executionId' | 'executor' | 'input'>,
): ExecutionSpec {
  const { script, script_type, priority, timeout_seconds, retry, limits } = task.definition;
  return {
    execution_id: executionId,
    task_id: task.task_id,
    owner_id: task.owner_id,
    task_definition_version: task.definition_version,
    executor,
    script,
    script_type,
    input,
    priority,
    timeout_seconds,
    retry,
    limits,
  };
}
