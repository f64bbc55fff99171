import { type DynamicModule, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';

import { healthProbes } from './health-probes.js';
import { HealthModule } from './health.module.js';
import { identityModule } from './identity.js';
import type { Infrastructure } from './infrastructure.js';
import { McpModule } from './mcp.module.js';
import { PlatformModule } from './platform.module.js';
import { SealedLogModule } from './sealed-log.module.js';
import { TasksModule } from './tasks.module.js';
import { WebhooksModule } from './webhooks.module.js';

/** The modules for this process's roles. All processes know all commands and queries; only the API has controllers. */
@Module({})
export class AppModule {
  static forRoles(infra: Infrastructure): DynamicModule {
    const withApi = infra.config.VOIDRUNNER_ROLES.includes('api');
    return {
      module: AppModule,
      imports: [
        CqrsModule.forRoot(),
        PlatformModule.with(infra),
        TasksModule.register({ withApi, facades: infra.config.FACADES, log: infra.log }),
        WebhooksModule.register(infra),
        ...(withApi ? apiModules(infra) : []),
      ],
    };
  }
}

const apiModules = (infra: Infrastructure): DynamicModule[] => [
  identityModule(infra.config, infra.log),
  HealthModule.forRoot(healthProbes(infra)),
  SealedLogModule.with(infra),
  McpModule.with(infra.log),
];
