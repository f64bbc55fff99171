import { type DynamicModule, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';

import { healthProbes } from './composition/health-probes.js';
import { identityModule } from './composition/identity.js';
import type { Infrastructure } from './composition/infrastructure.js';
import { ExecutionModule } from './execution/execution.module.js';
import { HealthModule } from './health/health.module.js';
import { OrchestrationModule } from './orchestration/orchestration.module.js';
import { PlatformModule } from './platform.module.js';
import { TaskModule } from './task/task.module.js';

/** Role → modules. Every process knows every command and query; only the API role has controllers. */
@Module({})
export class AppModule {
  static forRoles(infra: Infrastructure): DynamicModule {
    const withApi = infra.config.VOIDRUNNER_ROLES.includes('api');
    const tasks = TaskModule.register({ withApi });
    const executions = ExecutionModule.register({ withApi, imports: [tasks], log: infra.log });
    return {
      module: AppModule,
      imports: [
        CqrsModule.forRoot(),
        PlatformModule.with(infra),
        tasks,
        executions,
        OrchestrationModule.register({ withApi, imports: [tasks, executions] }),
        ...(withApi ? [identityModule(infra.config, infra.log), HealthModule.forRoot(healthProbes(infra))] : []),
      ],
    };
  }
}
