import { type DynamicModule, Module } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { Pool } from 'pg';

import { DecisionRunner } from '../event-sourcing/core/decision-runner.js';
import { EventStore } from '../event-sourcing/core/event-store.js';
import { PostgresRecordedCommands } from '../event-sourcing/event-store/postgres-recorded-commands.js';
import { StreamWatch } from '../event-sourcing/event-store/stream-watch.js';
import { PositionAnnouncements } from '../event-sourcing/projection/position-announcements.js';
import { ConcurrentRequests } from '../http/concurrent-requests.js';
import { HttpCommands } from '../http/http-commands.js';
import { IdempotentRequests } from '../http/idempotency/idempotent-requests.js';
import { ReadYourWrites } from '../http/read-your-writes.js';
import { LargeResponses } from '../http/user-concurrency.js';
import { LiveInput } from '../live-input/live-input.js';
import { LiveOutput } from '../live-output/live-output.js';
import { DataKeys } from '../platform/payloads/data-keys.js';
import { PayloadStore } from '../platform/payloads/payload-store.js';
import { StorageQuota } from '../platform/payloads/storage-quota.js';
import { OfferedRuntimes } from '../runtimes/offered-runtimes.js';
import { Runtimes } from '../runtimes/runtimes.js';
import { OperatorRules } from '../tasks/api/operator-rules.js';
import { CheckedUrls } from '../webhook-endpoints/checked-urls.js';
import { EndpointSeals } from '../webhook-endpoints/endpoint-seals.js';
import { SystemHostAddresses } from '../webhook-endpoints/host-addresses.js';
import type { Infrastructure } from './infrastructure.js';
import { operatorRulesOf } from './operator-rules.js';
import { masterKeysOf } from './secrets.js';
import { urlRulesOf } from './webhook-rules.js';

/** The ports that features inject, bound to this process's adapters. */
@Module({})
export class PlatformModule {
  static with(infra: Infrastructure): DynamicModule {
    const { config, store, payloads, pool, visibility, projected } = infra;
    const readYourWrites = new ReadYourWrites(visibility, config.SERVER_OWN_WRITES_TIMEOUT);
    const providers = [
      { provide: Pool, useValue: pool },
      { provide: EventStore, useValue: store },
      { provide: PayloadStore, useValue: payloads },
      { provide: DataKeys, useValue: new DataKeys(pool, masterKeysOf(config)) },
      { provide: StorageQuota, useValue: infra.quota },
      { provide: DecisionRunner, useValue: infra.decisions },
      {
        provide: HttpCommands,
        useFactory: (bus: CommandBus) => new HttpCommands(bus, readYourWrites),
        inject: [CommandBus],
      },
      {
        provide: IdempotentRequests,
        useValue: new IdempotentRequests(new PostgresRecordedCommands(pool), readYourWrites),
      },
      { provide: Runtimes, useValue: infra.runtimes },
      { provide: OfferedRuntimes, useValue: infra.offeredRuntimes },
      { provide: OperatorRules, useValue: operatorRulesOf(config, infra.runtimes) },
      { provide: ConcurrentRequests, useValue: infra.concurrent },
      { provide: LargeResponses, useValue: infra.largeResponses },
      { provide: LiveOutput, useValue: infra.liveOutput },
      { provide: LiveInput, useValue: infra.liveInput },
      { provide: StreamWatch, useValue: infra.streamWatch },
      { provide: PositionAnnouncements, useValue: projected },
      { provide: EndpointSeals, useValue: infra.endpointSeals },
      { provide: CheckedUrls, useValue: new CheckedUrls(new SystemHostAddresses(), urlRulesOf(config)) },
    ];
    return { module: PlatformModule, global: true, providers, exports: providers.map(({ provide }) => provide) };
  }
}
