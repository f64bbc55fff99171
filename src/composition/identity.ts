import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import type { Config } from '../config/load-config.js';
import { EventStore } from '../event-sourcing/core/event-store.js';
import { AccountAdministration } from '../identity/app/account-administration.js';
import { AccountErasure } from '../identity/app/account-erasure.js';
import { DataKeys } from '../platform/payloads/data-keys.js';
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

class PortsModule {}
class AccountsModule {}

export interface OpenAccounts {
  readonly accounts: AccountAdministration;
  readonly erasure: AccountErasure;
  readonly close: () => Promise<void>;
}

/** For the command line: account administration without a service. */
export async function openAccountAdministration(
  config: Config,
  { store, keys }: { readonly store: EventStore; readonly keys: DataKeys },
  log: Log,
): Promise<OpenAccounts> {
  const ports: DynamicModule = {
    module: PortsModule,
    global: true,
    providers: [
      { provide: EventStore, useValue: store },
      { provide: DataKeys, useValue: keys },
    ],
    exports: [EventStore, DataKeys],
  };
  const module: DynamicModule = { module: AccountsModule, imports: [ports, identityModule(config, log)] };
  const context = await NestFactory.createApplicationContext(module, { logger: false });
  return {
    accounts: context.get(AccountAdministration, { strict: false }),
    erasure: context.get(AccountErasure, { strict: false }),
    close: () => context.close(),
  };
}
