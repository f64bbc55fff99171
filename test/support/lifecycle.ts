import type { CommandBus, ICommand } from '@nestjs/cqrs';

import { DecisionRunner } from '../../src/event-sourcing/core/decision-runner.js';
import { EventCatalog } from '../../src/event-sourcing/core/event-catalog.js';
import type { DomainEvent, StreamRef } from '../../src/event-sourcing/core/event.js';
import { OfferedRuntimes } from '../../src/runtimes/offered-runtimes.js';
import { decideExecution } from '../../src/tasks/commands/decide-execution.js';
import { ExecutionRequests } from '../../src/tasks/commands/execution-requests.js';
import { StartExecutionHandler } from '../../src/tasks/commands/start-execution.js';
import { StartExecution } from '../../src/tasks/domain/execution-commands.js';
import { executionEvents } from '../../src/tasks/domain/execution-events.js';
import { taskEvents } from '../../src/tasks/domain/task-events.js';
import { metadata, owner } from './builders/people.js';
import { EXECUTION_STREAM, TASK_STREAM } from './builders/recorded.js';
import { EXECUTION_ID, TASK_ID } from './builders/tasks.js';
import { declaredRuntimes } from './declared-runtimes.js';
import { InMemorySnapshotStore } from './in-memory-snapshot-store.js';
import { StagedEventStore } from './staged-event-store.js';

export const lifecycleCatalog = new EventCatalog(Object.values({ ...taskEvents, ...executionEvents }));

/** Tasks and executions on an event store in memory: commands in, events out, handled as by the command bus. */
export class Lifecycle {
  readonly store = new StagedEventStore(lifecycleCatalog);
  readonly decisions = new DecisionRunner(this.store, lifecycleCatalog, new InMemorySnapshotStore());
  private readonly starter = new StartExecutionHandler(
    this.decisions,
    new ExecutionRequests(declaredRuntimes, new OfferedRuntimes(() => Promise.resolve([]))),
  );

  readonly bus = {
    execute: (command: ICommand) =>
      command instanceof StartExecution
        ? this.starter.execute(command)
        : decideExecution(this.decisions, command as Parameters<typeof decideExecution>[1]),
  } as Pick<CommandBus, 'execute'>;

  /** Adds histories of one task and one of its executions. */
  async given(histories: { task?: readonly DomainEvent[]; run?: readonly DomainEvent[] }): Promise<void> {
    if (histories.task) await this.store.add(TASK_STREAM, ...histories.task);
    if (histories.run) await this.store.add(EXECUTION_STREAM, ...histories.run);
  }

  start(executionId = EXECUTION_ID, requester = owner, overrides: StartExecution['overrides'] = {}): Promise<unknown> {
    const content = { executor: 'embedded', input: null, inputPaths: [], suite: undefined, webhook: null } as const;
    const command = new StartExecution(executionId, TASK_ID, requester, content, overrides, metadata);
    return this.bus.execute(command);
  }

  task(): Promise<DomainEvent[]> {
    return this.store.eventsOf(TASK_STREAM);
  }

  run(stream: StreamRef = EXECUTION_STREAM): Promise<DomainEvent[]> {
    return this.store.eventsOf(stream);
  }
}
