import { Module } from '@nestjs/common';

import { executionCommandHandlers } from './lifecycle/execution-handlers.js';
import { StartExecutionHandler } from './lifecycle/start-execution.handler.js';

/** The commands that decide over a run and its task at once. */
@Module({ providers: [StartExecutionHandler, ...executionCommandHandlers] })
export class OrchestrationModule {}
