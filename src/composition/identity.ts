import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import type { Config } from '../config/load-config.js';
import { EventStore } from '../event-sourcing/core/event-store.js';
import { AccountAdministration } from '../identity/app/account-administration.js';
import type { Log } from '../platform/telemetry/log.js';
import { IdentityModule } from './identity.module.js';
import { postgresOptions } from './postgres-options.js';

export const identityModule = (config: Config, log: Log): DynamicModule =>
  IdentityModule.forRoot({
    database: postgresOptions(config, 'identity'),
    tokens: {
      secret: config.JWT_SECRET_KEY,
      acceptedSecrets: config.JWT_SECRET_KEYS_ACCEPTED,
      issuer: config.JWT_ISSUER,
      audience: config.JWT_AUDIENCE,
      accessTokenMs: config.JWT_ACCESS_TOKEN_DURATION,
      refreshTokenMs: config.JWT_REFRESH_TOKEN_DURATION,
    },
    refreshGraceMs: config.JWT_REFRESH_TOKEN_GRACE,
    log,
  });

class LogModule {}
class AccountsModule {}

/** For the command line: account administration without a service. */
export async function openAccountAdministration(
  config: Config,
  store: EventStore,
  log: Log,
): Promise<{ accounts: AccountAdministration; close: () => Promise<void> }> {
  const events: DynamicModule = {
    module: LogModule,
    global: true,
    providers: [{ provide: EventStore, useValue: store }],
    exports: [EventStore],
  };
  const module: DynamicModule = { module: AccountsModule, imports: [events, identityModule(config, log)] };
  const context = await NestFactory.createApplicationContext(module, { logger: false });
  return { accounts: context.get(AccountAdministration, { strict: false }), close: () => context.close() };
}
