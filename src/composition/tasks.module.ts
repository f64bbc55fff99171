import { type DynamicModule, Module } from '@nestjs/common';
import { Pool } from 'pg';

import type { Facade } from '../config/setting-types.js';
import { EventStore } from '../event-sourcing/core/event-store.js';
import { PositionAnnouncements } from '../event-sourcing/projection/position-announcements.js';
import type { Log } from '../platform/telemetry/log.js';
import { BatchController } from '../tasks/api/batch-controller.js';
import { BatchPayloads } from '../tasks/api/batch-payloads.js';
import { BatchStarts } from '../tasks/api/batch-starts.js';
import { DeadLetterController } from '../tasks/api/dead-letter-controller.js';
import { ExecutionController } from '../tasks/api/execution-controller.js';
import { ExecutionHistoryController } from '../tasks/api/execution-history-controller.js';
import { ExecutionResponses } from '../tasks/api/execution-responses.js';
import { ExecutionStarts } from '../tasks/api/execution-starts.js';
import { ExternalExecutionController } from '../tasks/api/external-execution-controller.js';
import { FileController } from '../tasks/api/file-controller.js';
import { OneShotController } from '../tasks/api/one-shot-controller.js';
import { OneShots } from '../tasks/api/one-shots.js';
import { OutputController } from '../tasks/api/output-controller.js';
import { RerunBatchController } from '../tasks/api/rerun-batch-controller.js';
import { RerunController } from '../tasks/api/rerun-controller.js';
import { RuntimeController } from '../tasks/api/runtime-controller.js';
import { StdinController } from '../tasks/api/stdin-controller.js';
import { SubmittedSuites } from '../tasks/api/submitted-suites.js';
import { SubmittedWebhooks } from '../tasks/api/submitted-webhooks.js';
import { TaskController } from '../tasks/api/task-controller.js';
import { CancelBatchHandler } from '../tasks/commands/cancel-batch.js';
import { CancelExecutionHandler } from '../tasks/commands/cancel-execution.js';
import { CompleteBatchCancellationHandler } from '../tasks/commands/complete-batch-cancellation.js';
import { CompleteBatchStartsHandler } from '../tasks/commands/complete-batch-starts.js';
import { CreateAndStartTaskHandler } from '../tasks/commands/create-and-start-task.js';
import { CreateBatchHandler } from '../tasks/commands/create-batch.js';
import { CreateRerunBatchHandler } from '../tasks/commands/create-rerun-batch.js';
import { CreateTaskHandler } from '../tasks/commands/create-task.js';
import { DeleteTaskHandler } from '../tasks/commands/delete-task.js';
import { DiscardDeadLetterHandler } from '../tasks/commands/discard-dead-letter.js';
import { ExecutionRequests } from '../tasks/commands/execution-requests.js';
import { ExpireExternalExecutionHandler } from '../tasks/commands/expire-external-execution.js';
import { ExpireUnreportedExecutionHandler } from '../tasks/commands/expire-unreported-execution.js';
import { InputSender } from '../tasks/commands/input-sender.js';
import { InputStore } from '../tasks/commands/input-store.js';
import { LoseAttemptHandler } from '../tasks/commands/lose-attempt.js';
import { RedriveExecutionHandler } from '../tasks/commands/redrive-execution.js';
import { RefuseBatchItemsHandler } from '../tasks/commands/refuse-batch-items.js';
import { ReleaseAttemptHandler } from '../tasks/commands/release-attempt.js';
import { ReportExternalExecutionHandler } from '../tasks/commands/report-external-execution.js';
import { ReportFailureHandler } from '../tasks/commands/report-failure.js';
import { ReportSuccessHandler } from '../tasks/commands/report-success.js';
import { ReportedOutput } from '../tasks/commands/reported-output.js';
import { RerunExecutionHandler } from '../tasks/commands/rerun-execution.js';
import { ScriptStore } from '../tasks/commands/script-store.js';
import { SuiteStore } from '../tasks/commands/suite-store.js';
import { StartAttemptHandler } from '../tasks/commands/start-attempt.js';
import { StartExecutionHandler } from '../tasks/commands/start-execution.js';
import { UpdateTaskHandler } from '../tasks/commands/update-task.js';
import { AttemptOutput } from '../tasks/queries/attempt-output.js';
import { ExecutionStatuses } from '../tasks/domain/batch-item-status.js';
import { batchQueryHandlers } from '../tasks/queries/batch-queries.js';
import { currentExecutions } from '../tasks/queries/current-executions.js';
import { CurrentStatuses } from '../tasks/queries/current-statuses.js';
import { EventFollower } from '../tasks/queries/event-follower.js';
import { ExecutionEnds } from '../tasks/queries/execution-ends.js';
import { executionQueryHandlers } from '../tasks/queries/execution-queries.js';
import { OutputFollower } from '../tasks/queries/output-follower.js';
import { rerunQueryHandlers } from '../tasks/queries/rerun-sources.js';
import { SuiteFollower } from '../tasks/queries/suite-follower.js';
import { TaskOwners } from '../tasks/queries/task-owners.js';
import { taskQueryHandlers } from '../tasks/queries/task-queries.js';
import { facadeParts } from './facades.js';

const CONTROLLERS = [
  TaskController,
  ExecutionController,
  ExecutionHistoryController,
  ExternalExecutionController,
  OutputController,
  FileController,
  DeadLetterController,
  OneShotController,
  RerunController,
  RuntimeController,
  BatchController,
  RerunBatchController,
  StdinController,
];

const COMMAND_HANDLERS = [
  CreateTaskHandler,
  UpdateTaskHandler,
  DeleteTaskHandler,
  StartExecutionHandler,
  CreateAndStartTaskHandler,
  RerunExecutionHandler,
  StartAttemptHandler,
  ReportSuccessHandler,
  ReportFailureHandler,
  ReleaseAttemptHandler,
  CancelExecutionHandler,
  LoseAttemptHandler,
  ExpireExternalExecutionHandler,
  ExpireUnreportedExecutionHandler,
  RedriveExecutionHandler,
  DiscardDeadLetterHandler,
  ReportExternalExecutionHandler,
  CreateBatchHandler,
  CancelBatchHandler,
  CreateRerunBatchHandler,
  RefuseBatchItemsHandler,
  CompleteBatchStartsHandler,
  CompleteBatchCancellationHandler,
];

interface TasksOptions {
  readonly withApi: boolean;
  /** Other services whose clients the API also serves. */
  readonly facades: readonly Facade[];
  readonly log: Log;
}

/** Tasks, executions and batches of executions: one context with three aggregates. */
@Module({})
export class TasksModule {
  static register({ withApi, facades, log }: TasksOptions): DynamicModule {
    const parts = facadeParts(withApi ? facades : []);
    const executionEnds = {
      provide: ExecutionEnds,
      useFactory: (pool: Pool, store: EventStore, projected: PositionAnnouncements) =>
        new ExecutionEnds(currentExecutions(pool, store), projected, log),
      inject: [Pool, EventStore, PositionAnnouncements],
    };
    const executionStatuses = {
      provide: ExecutionStatuses,
      useFactory: (pool: Pool, store: EventStore) => new CurrentStatuses(pool, store),
      inject: [Pool, EventStore],
    };
    return {
      module: TasksModule,
      controllers: withApi ? [...CONTROLLERS, ...parts.controllers] : [],
      providers: [
        ScriptStore,
        InputStore,
        InputSender,
        SuiteStore,
        SubmittedSuites,
        SubmittedWebhooks,
        ExecutionRequests,
        ReportedOutput,
        TaskOwners,
        executionEnds,
        executionStatuses,
        EventFollower,
        AttemptOutput,
        OutputFollower,
        SuiteFollower,
        ExecutionResponses,
        ExecutionStarts,
        OneShots,
        BatchPayloads,
        BatchStarts,
        ...parts.providers,
        ...COMMAND_HANDLERS,
        ...taskQueryHandlers,
        ...executionQueryHandlers,
        ...batchQueryHandlers,
        ...rerunQueryHandlers,
      ],
    };
  }
}
