import { type DynamicModule, Module } from '@nestjs/common';

import { TaskOwners } from '../kernel/ports/task-owners.js';
import { TaskController } from './api/task-controller.js';
import { ScriptStore } from './app/script-store.js';
import { taskCommandHandlers } from './app/task-handlers.js';
import { LogTaskOwners } from './read/log-task-owners.js';
import { taskQueryHandlers } from './read/task-queries.js';

@Module({})
export class TaskModule {
  static register({ withApi }: { withApi: boolean }): DynamicModule {
    return {
      module: TaskModule,
      controllers: withApi ? [TaskController] : [],
      providers: [
        ScriptStore,
        { provide: TaskOwners, useClass: LogTaskOwners },
        ...taskCommandHandlers,
        ...taskQueryHandlers,
      ],
      exports: [ScriptStore, TaskOwners],
    };
  }
}
