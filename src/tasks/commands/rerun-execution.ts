import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { type Decided, DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { EventStore } from '../../event-sourcing/core/event-store.js';
import { eventsAs } from '../../event-sourcing/core/event.js';
import { DomainError } from '../../kernel/errors.js';
import { requireOwner } from '../../kernel/requester.js';
import { type ExecutionContent, RerunExecution } from '../domain/execution-commands.js';
import { executionDecider, executionNotFound } from '../domain/execution-decider.js';
import type { ExecutionEvent, ExecutionSpec } from '../domain/execution-events.js';
import type { SuiteRef } from '../domain/execution-shape.js';
import { executionStream } from '../domain/execution-state.js';
import { type LiveTask, taskDecider, taskStream } from '../domain/task-decider.js';
import { ExecutionRequests } from './execution-requests.js';
import { InputStore } from './input-store.js';
import { SuiteStore } from './suite-store.js';

/** Starts an execution like an earlier one of the same task. */
@CommandHandler(RerunExecution)
export class RerunExecutionHandler implements ICommandHandler<RerunExecution> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly store: EventStore,
    private readonly inputs: InputStore,
    private readonly suites: SuiteStore,
    private readonly requests: ExecutionRequests,
  ) {}

  /** @throws DomainError `execution_not_found`, `access_denied`, `input_erased`, and as a start does */
  async execute(command: RerunExecution): Promise<Decided<void>> {
    const { executionId, requester, definition, overrides, metadata } = command;
    const source = await this.sourceOf(command);
    const { task_id } = source;
    let content: ExecutionContent | undefined;
    return this.decisions.run(metadata, async (streams) => {
      const [task, execution] = await Promise.all([
        streams.load(taskStream(task_id), taskDecider),
        streams.begin(executionStream(executionId), executionDecider),
      ]);
      // As for a start: a repeat may come after the execution has ended.
      if (execution.state.status !== 'absent') return;
      // Before anything is stored: a task that runs refuses the same request again and again.
      taskDecider.decide({ type: 'BeginExecution', requester, executionId }, task.state);
      const recorded = definition === 'recorded' ? source : undefined;
      const { suite: current } = (task.state as LiveTask).definition;
      const suite = recorded && (await this.suiteOf(recorded, current));
      content ??= { ...(await this.copyOf(source)), suite, webhook: null };
      const start = { executionId, requester, content, overrides, rerunOf: source.execution_id };
      await this.requests.record(task, execution, { ...start, recorded });
    });
  }

  /** The first event of an execution, which no other changes. */
  private async sourceOf({ sourceId, requester }: RerunExecution): Promise<ExecutionSpec> {
    const [first] = eventsAs<ExecutionEvent>(await this.store.readStream(executionStream(sourceId), { limit: 1 }));
    if (first?.type !== 'ExecutionRequested') throw executionNotFound();
    requireOwner(requester, first.data.owner_id);
    return first.data;
  }

  /** Retention counts from the time at which an input was stored, so the new execution has one of its own. */
  private async copyOf({
    owner_id,
    executor,
    input,
  }: ExecutionSpec): Promise<Omit<ExecutionContent, 'suite' | 'webhook'>> {
    const copied = await this.inputs.copy(owner_id, input);
    if (!copied) throw new DomainError('input_erased', 'The input of this execution has been erased');
    return { executor, input: copied.input, inputPaths: copied.paths, isInteractive: copied.isInteractive };
  }

  /** The same, unless they are the task's, which are kept as long as it. */
  private async suiteOf({ owner_id, suite }: ExecutionSpec, current: SuiteRef | null): Promise<SuiteRef | null> {
    if (suite === null || suite.payload.payload_id === current?.payload.payload_id) return suite;
    const copied = await this.suites.copy(owner_id, suite);
    if (copied) return copied;
    throw new DomainError('input_erased', 'The tests of this execution have been erased');
  }
}
