import { type DynamicModule, Module } from '@nestjs/common';

import { DeadLetterController } from './api/dead-letter-controller.js';
import { ExecutionController } from './api/execution-controller.js';
import { ExecutionHistoryController } from './api/execution-history-controller.js';
import { ExternalRunController } from './api/external-run-controller.js';
import { OutputController } from './api/output-controller.js';
import { RunStarts } from './api/run-starts.js';
import { InputStore } from './app/input-store.js';
import { ReportedOutput } from './app/reported-output.js';
import { EndedRuns } from './read/ended-runs.js';
import { EventFollower } from './read/event-follower.js';
import { executionQueryHandlers } from './read/execution-queries.js';
import { OutputFollower } from './read/output-follower.js';

@Module({})
export class ExecutionModule {
  /** @param options.imports what exports TaskOwners */
  static register({ withApi, imports }: { withApi: boolean; imports: DynamicModule[] }): DynamicModule {
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
        EndedRuns,
        EventFollower,
        OutputFollower,
        RunStarts,
        ...executionQueryHandlers,
      ],
      exports: [InputStore, RunStarts],
    };
  }
}
