import { Injectable } from '@nestjs/common';

import type { Participant } from '../../event-sourcing/core/decision-session.js';
import { DomainError, InvalidFields } from '../../kernel/errors.js';
import { OfferedRuntimes } from '../../runtimes/offered-runtimes.js';
import { fileAtScriptPath, floorOf, type Runtime } from '../../runtimes/runtime.js';
import { Runtimes } from '../../runtimes/runtimes.js';
import {
  INPUT_FILE_AT_SCRIPT_PATH,
  INTERACTIVE_WITH_TESTS,
  RequestExecution,
  type StartExecution,
} from '../domain/execution-commands.js';
import { executionDecider } from '../domain/execution-decider.js';
import type { ExecutionEvent, ExecutionSpec } from '../domain/execution-events.js';
import type { ExecutionState } from '../domain/execution-state.js';
import { limitsBelowFloor } from '../domain/limit-floors.js';
import { type LiveTask, taskDecider, type TaskState } from '../domain/task-decider.js';
import { changedDefinition } from '../domain/task-definition.js';
import type { TaskDefinition, TaskEvent } from '../domain/task-events.js';

type Start = Pick<StartExecution, 'executionId' | 'requester' | 'content' | 'overrides'> & {
  readonly rerunOf?: string;
  /** What an earlier execution was started with, instead of the task's definition. */
  readonly recorded?: ExecutionSpec | undefined;
};

/** Starts an execution of a task, whose runtime only its stream tells. */
@Injectable()
export class ExecutionRequests {
  constructor(
    private readonly runtimes: Runtimes,
    private readonly offered: OfferedRuntimes,
  ) {}

  /**
   * Records the start on both streams. The task's event comes first, as at the end (decide-execution.ts).
   * @throws DomainError as the task's decider does, and `runtime_removed`; InvalidFields for a file at the path of the
   *   task's own script, for limits below the runtime's minimum, and for an interactive input beside tests
   */
  async record(
    task: Participant<TaskState, TaskEvent>,
    execution: Participant<ExecutionState, ExecutionEvent>,
    start: Start,
  ): Promise<void> {
    const { requester, executionId, content } = start;
    task.record(taskDecider.decide({ type: 'BeginExecution', requester, executionId }, task.state));
    const live = withRecorded(task.state as LiveTask, start.recorded);
    const runtime = this.runtimeOf(live);
    requireFreeScriptPath(runtime, content.inputPaths);
    const definition = { ...live.definition, ...changedDefinition(live.definition, start.overrides) };
    if (start.overrides.limits) requireFloor(runtime, definition);
    const imageDigest = content.executor === 'embedded' ? await this.offered.agreedDigest(runtime.name) : null;
    const spec = specOf({ ...live, definition }, start, imageDigest);
    if (content.isInteractive) requireNoTests(spec);
    execution.record(executionDecider.decide(new RequestExecution(spec), execution.state));
  }

  private runtimeOf({ definition: { script_type } }: LiveTask): Runtime {
    const runtime = this.runtimes.named(script_type);
    if (runtime) return runtime;
    throw new DomainError('runtime_removed', `This service no longer has the runtime ${script_type}`);
  }
}

function withRecorded(live: LiveTask, recorded: ExecutionSpec | undefined): LiveTask {
  if (!recorded) return live;
  const { script, script_type, suite, priority, timeout_seconds, retry, limits } = recorded;
  return {
    ...live,
    definition_version: recorded.task_definition_version,
    definition: { ...live.definition, script, script_type, suite, priority, timeout_seconds, retry, limits },
  };
}

/** The free file names depend on the task's runtime, which the input's schema does not know. */
export function requireFreeScriptPath(runtime: Runtime, paths: readonly string[]): void {
  const index = fileAtScriptPath(runtime, paths);
  if (index === -1) return;
  const field = `input.files.${index}.path`;
  throw new InvalidFields([{ field, value: '[redacted]', tag: 'invalid', message: INPUT_FILE_AT_SCRIPT_PATH }]);
}

/** The tests may be the task's, of which the request does not know. */
function requireNoTests({ suite }: ExecutionSpec): void {
  if (suite === null) return;
  const field = 'input.interactive';
  throw new InvalidFields([{ field, value: 'true', tag: 'exclusive', message: INTERACTIVE_WITH_TESTS }]);
}

function requireFloor(runtime: Runtime, { limits }: TaskDefinition): void {
  const faults = limitsBelowFloor(runtime.name, floorOf(runtime), limits);
  if (faults.length > 0) throw new InvalidFields(faults);
}

function specOf(
  task: LiveTask,
  { executionId, content: { executor, input, suite, webhook }, rerunOf }: Start,
  image_digest: string | null,
): ExecutionSpec {
  const { script, script_type, priority, timeout_seconds, retry, limits } = task.definition;
  const own = suite === undefined ? task.definition.suite : suite;
  return {
    execution_id: executionId,
    task_id: task.task_id,
    owner_id: task.owner_id,
    task_definition_version: task.definition_version,
    executor,
    script,
    script_type,
    image_digest,
    input,
    // Only a worker of this service runs tests.
    suite: executor === 'embedded' ? own : null,
    priority,
    timeout_seconds,
    retry,
    limits,
    rerun_of: rerunOf ?? null,
    webhook,
  };
}
