import { type DynamicModule, Module } from '@nestjs/common';
import { Pool } from 'pg';

import { EventStore } from '../kernel/ports/event-store.js';
import { PositionAnnouncements } from '../platform/projection/position-announcements.js';
import type { Log } from '../platform/telemetry/log.js';
import { DeadLetterController } from './api/dead-letter-controller.js';
import { ExecutionController } from './api/execution-controller.js';
import { ExecutionHistoryController } from './api/execution-history-controller.js';
import { ExternalRunController } from './api/external-run-controller.js';
import { OutputController } from './api/output-controller.js';
import { ExecutionAnswers } from './api/execution-answers.js';
import { RunStarts } from './api/run-starts.js';
import { InputStore } from './app/input-store.js';
import { ReportedOutput } from './app/reported-output.js';
import { currentExecutions } from './read/current-executions.js';
import { EndedRuns } from './read/ended-runs.js';
import { EventFollower } from './read/event-follower.js';
import { executionQueryHandlers } from './read/execution-queries.js';
import { OutputFollower } from './read/output-follower.js';

export interface ExecutionOptions {
  readonly withApi: boolean;
  /** What exports TaskOwners. */
  readonly imports: DynamicModule[];
  readonly log: Log;
}

@Module({})
export class ExecutionModule {
  static register({ withApi, imports, log }: ExecutionOptions): DynamicModule {
    const endedRuns = {
      provide: EndedRuns,
      useFactory: (pool: Pool, store: EventStore, projected: PositionAnnouncements) =>
        new EndedRuns(currentExecutions(pool, store), projected, log),
      inject: [Pool, EventStore, PositionAnnouncements],
    };
    return {
      module: ExecutionModule,
      imports,
      controllers: withApi
        ? [
            ExecutionController,
            ExecutionHistoryController,
            ExternalRunController,
            OutputController,
            DeadLetterController,
          ]
        : [],
      providers: [
        InputStore,
        ReportedOutput,
        endedRuns,
        EventFollower,
        OutputFollower,
        ExecutionAnswers,
        RunStarts,
        ...executionQueryHandlers,
      ],
      exports: [InputStore, RunStarts],
    };
  }
}
