import { MikroOrmModule } from '@mikro-orm/nestjs';
import { MikroORM } from '@mikro-orm/postgresql';
import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Module,
  type OnApplicationBootstrap,
  type Provider,
} from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';

import { EventStore } from '../event-sourcing/core/event-store.js';
import { Credentials } from '../http/auth-guard.js';
import { AuthController } from '../identity/api/auth-controller.js';
import { KeyController } from '../identity/api/key-controller.js';
import { AccountAdministration } from '../identity/app/account-administration.js';
import { AccountErasure } from '../identity/app/account-erasure.js';
import { Accounts } from '../identity/app/accounts.js';
import { ApiKeys, KNOWN_MS_MAX } from '../identity/app/api-keys.js';
import { KnownCredentials } from '../identity/app/known-credentials.js';
import { NewAccounts } from '../identity/app/new-account.js';
import { PasswordHasher } from '../identity/app/password-hasher.js';
import { Revocations } from '../identity/app/revocations.js';
import { SecurityFacts } from '../identity/app/security-facts.js';
import { type TokenOptions, Tokens } from '../identity/app/tokens.js';
import { IdentityDatabase } from '../identity/store/identity-database.js';
import { IdentityStore } from '../identity/store/identity-store.js';
import { KeyStore } from '../identity/store/key-store.js';
import { type IdentityDatabaseOptions, ormOptions } from '../identity/store/orm-options.js';
import { ParameterisedDriver } from '../identity/store/parameterised-driver.js';
import { DataKeys } from '../platform/payloads/data-keys.js';
import type { Log } from '../platform/telemetry/log.js';

export interface IdentityOptions {
  readonly database: IdentityDatabaseOptions;
  readonly tokens: TokenOptions;
  readonly refreshGraceMs: number;
  readonly log: Log;
}

/** Needs the EventStore and the DataKeys from a global module. */
@Module({})
export class IdentityModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly revocations: Revocations,
    private readonly facts: SecurityFacts,
    private readonly keys: ApiKeys,
  ) {}

  static forRoot({ database, tokens, refreshGraceMs, log }: IdentityOptions): DynamicModule {
    return {
      module: IdentityModule,
      imports: [
        MikroOrmModule.forRoot({ ...ormOptions(database), driver: ParameterisedDriver, registerRequestContext: false }),
      ],
      controllers: [AuthController, KeyController],
      providers: [
        { provide: PasswordHasher, useFactory: () => new PasswordHasher() },
        { provide: IdentityDatabase, useFactory: (orm: MikroORM) => new IdentityDatabase(orm), inject: [MikroORM] },
        {
          provide: IdentityStore,
          useFactory: (of: IdentityDatabase) => new IdentityStore(of),
          inject: [IdentityDatabase],
        },
        { provide: KeyStore, useFactory: (of: IdentityDatabase) => new KeyStore(of), inject: [IdentityDatabase] },
        { provide: Tokens, useFactory: () => new Tokens(new JwtService(), tokens) },
        {
          provide: Revocations,
          useFactory: (store: IdentityStore) =>
            new Revocations({
              of: 'sessions',
              findRevokedSince: (since) => store.findRevokedSince(since),
              keptMs: tokens.accessTokenMs,
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
        ...administration(log),
        {
          provide: ApiKeys,
          useFactory: (store: KeyStore, facts: SecurityFacts) => {
            const findRevokedSince = (since: Date) => store.findRevokedSince(since);
            const revocations = new Revocations({ of: 'API keys', findRevokedSince, keptMs: KNOWN_MS_MAX, log });
            return new ApiKeys({ store, revocations, facts, log });
          },
          inject: [KeyStore, SecurityFacts],
        },
        {
          provide: Credentials,
          useFactory: (signed: Tokens, revocations: Revocations, keys: ApiKeys) =>
            new KnownCredentials(signed, revocations, keys),
          inject: [Tokens, Revocations, ApiKeys],
        },
      ],
      exports: [Accounts, AccountAdministration, AccountErasure, Credentials],
    };
  }

  onApplicationBootstrap(): void {
    this.revocations.start();
    this.facts.start();
    this.keys.start();
  }

  /** Runs before MikroORM closes its pool, which it does at the shutdown itself. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.keys.stop();
    await this.facts.stop();
    await this.revocations.stop();
  }
}

/** What changes accounts as a whole. */
const administration = (log: Log): Provider[] => [
  {
    provide: AccountAdministration,
    useFactory: (store: IdentityStore, newAccounts: NewAccounts, facts: SecurityFacts) =>
      new AccountAdministration({ store, newAccounts, facts }),
    inject: [IdentityStore, NewAccounts, SecurityFacts],
  },
  {
    provide: AccountErasure,
    useFactory: (
      store: IdentityStore,
      hasher: PasswordHasher,
      revocations: Revocations,
      facts: SecurityFacts,
      keys: DataKeys,
    ) => new AccountErasure({ store, hasher, revocations, facts, keys, log }),
    inject: [IdentityStore, PasswordHasher, Revocations, SecurityFacts, DataKeys],
  },
];
