import { MikroOrmModule } from '@mikro-orm/nestjs';
import { MikroORM } from '@mikro-orm/postgresql';
import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Module,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';

import { EventStore } from '../event-sourcing/core/event-store.js';
import { AccessTokens } from '../http/auth-guard.js';
import { AuthController } from '../identity/api/auth-controller.js';
import { AccountAdministration } from '../identity/app/account-administration.js';
import { Accounts } from '../identity/app/accounts.js';
import { NewAccounts } from '../identity/app/new-account.js';
import { PasswordHasher } from '../identity/app/password-hasher.js';
import { Revocations } from '../identity/app/revocations.js';
import { SecurityFacts } from '../identity/app/security-facts.js';
import { SessionAccessTokens } from '../identity/app/session-access-tokens.js';
import { type TokenOptions, Tokens } from '../identity/app/tokens.js';
import { IdentityStore } from '../identity/store/identity-store.js';
import { type IdentityDatabaseOptions, ormOptions } from '../identity/store/orm-options.js';
import { ParameterisedDriver } from '../identity/store/parameterised-driver.js';
import type { Log } from '../platform/telemetry/log.js';

export interface IdentityOptions {
  readonly database: IdentityDatabaseOptions;
  readonly tokens: TokenOptions;
  readonly refreshGraceMs: number;
  readonly log: Log;
}

/** Needs the EventStore from a global module. */
@Module({})
export class IdentityModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly revocations: Revocations,
    private readonly facts: SecurityFacts,
  ) {}

  static forRoot({ database, tokens, refreshGraceMs, log }: IdentityOptions): DynamicModule {
    return {
      module: IdentityModule,
      imports: [
        MikroOrmModule.forRoot({ ...ormOptions(database), driver: ParameterisedDriver, registerRequestContext: false }),
      ],
      controllers: [AuthController],
      providers: [
        { provide: PasswordHasher, useFactory: () => new PasswordHasher() },
        { provide: IdentityStore, useFactory: (orm: MikroORM) => new IdentityStore(orm), inject: [MikroORM] },
        { provide: Tokens, useFactory: () => new Tokens(new JwtService(), tokens) },
        {
          provide: Revocations,
          useFactory: (store: IdentityStore) =>
            new Revocations({
              findRevokedSince: (since) => store.findRevokedSince(since),
              accessTokenMs: tokens.accessTokenMs,
              log,
            }),
          inject: [IdentityStore],
        },
        {
          provide: SecurityFacts,
          useFactory: (store: IdentityStore, events: EventStore) => new SecurityFacts({ store, events, log }),
          inject: [IdentityStore, EventStore],
        },
        {
          provide: NewAccounts,
          useFactory: (store: IdentityStore, hasher: PasswordHasher, facts: SecurityFacts) =>
            new NewAccounts(store, hasher, facts),
          inject: [IdentityStore, PasswordHasher, SecurityFacts],
        },
        {
          provide: Accounts,
          useFactory: (
            store: IdentityStore,
            hasher: PasswordHasher,
            newAccounts: NewAccounts,
            signed: Tokens,
            revocations: Revocations,
            facts: SecurityFacts,
          ) => new Accounts({ store, hasher, newAccounts, tokens: signed, revocations, facts, refreshGraceMs }),
          inject: [IdentityStore, PasswordHasher, NewAccounts, Tokens, Revocations, SecurityFacts],
        },
        {
          provide: AccountAdministration,
          useFactory: (store: IdentityStore, hasher: PasswordHasher, newAccounts: NewAccounts, facts: SecurityFacts) =>
            new AccountAdministration({ store, hasher, newAccounts, facts }),
          inject: [IdentityStore, PasswordHasher, NewAccounts, SecurityFacts],
        },
        {
          provide: AccessTokens,
          useFactory: (signed: Tokens, revocations: Revocations) => new SessionAccessTokens(signed, revocations),
          inject: [Tokens, Revocations],
        },
      ],
      exports: [Accounts, AccountAdministration, AccessTokens],
    };
  }

  onApplicationBootstrap(): void {
    this.revocations.start();
    this.facts.start();
  }

  /** Runs before MikroORM closes its pool, which it does at the shutdown itself. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.facts.stop();
    await this.revocations.stop();
  }
}
