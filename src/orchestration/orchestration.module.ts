import { type DynamicModule, Module } from '@nestjs/common';

import { OneShotController } from './api/one-shot-controller.js';
import { executionCommandHandlers } from './lifecycle/execution-handlers.js';
import { RunOnceHandler } from './lifecycle/run-once.js';
import { StartExecutionHandler } from './lifecycle/start-execution.handler.js';

/** The commands that decide over a run and its task at once. */
@Module({})
export class OrchestrationModule {
  /** @param options.imports what exports ScriptStore, InputStore and RunStarts */
  static register({ withApi, imports }: { withApi: boolean; imports: DynamicModule[] }): DynamicModule {
    return {
      module: OrchestrationModule,
      imports,
      controllers: withApi ? [OneShotController] : [],
      providers: [StartExecutionHandler, RunOnceHandler, ...executionCommandHandlers],
    };
  }
}
