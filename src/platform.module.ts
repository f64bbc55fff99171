import { type DynamicModule, Module } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { Pool } from 'pg';

import type { Infrastructure } from './composition/infrastructure.js';
import { runLimitsCeilingOf } from './composition/run-limits.js';
import { DecisionRunner } from './kernel/decision-runner.js';
import { EventStore } from './kernel/ports/event-store.js';
import { LiveOutput } from './kernel/ports/live-output.js';
import { PayloadStore } from './kernel/ports/payload-store.js';
import { StorageQuota } from './kernel/ports/storage-quota.js';
import { PostgresRecordedCommands } from './platform/event-store/postgres-recorded-commands.js';
import { StreamWatch } from './platform/event-store/stream-watch.js';
import { ConcurrentRequests } from './platform/http/concurrent-requests.js';
import { RepeatableRequests } from './platform/http/idempotency/repeatable-requests.js';
import { HttpCommands } from './platform/http/http-commands.js';
import { OwnWrites } from './platform/http/own-writes.js';
import { RunLimitsCeiling } from './platform/http/run-limits-ceiling.js';
import { LargeAnswers } from './platform/http/user-turns.js';
import { PositionAnnouncements } from './platform/projection/position-announcements.js';

/** What features inject: the ports, bound to this process's adapters. */
@Module({})
export class PlatformModule {
  static with(infra: Infrastructure): DynamicModule {
    const { config, store, payloads, pool, visibility, projected } = infra;
    const ownWrites = new OwnWrites(visibility, config.SERVER_OWN_WRITES_TIMEOUT);
    const providers = [
      { provide: Pool, useValue: pool },
      { provide: EventStore, useValue: store },
      { provide: PayloadStore, useValue: payloads },
      { provide: StorageQuota, useValue: infra.quota },
      { provide: DecisionRunner, useValue: infra.decisions },
      {
        provide: HttpCommands,
        useFactory: (bus: CommandBus) => new HttpCommands(bus, ownWrites),
        inject: [CommandBus],
      },
      { provide: RepeatableRequests, useValue: new RepeatableRequests(new PostgresRecordedCommands(pool), ownWrites) },
      { provide: RunLimitsCeiling, useValue: runLimitsCeilingOf(config) },
      { provide: ConcurrentRequests, useValue: infra.concurrent },
      { provide: LargeAnswers, useValue: infra.largeAnswers },
      { provide: LiveOutput, useValue: infra.liveOutput },
      { provide: StreamWatch, useValue: infra.streamWatch },
      { provide: PositionAnnouncements, useValue: projected },
    ];
    return { module: PlatformModule, global: true, providers, exports: providers.map(({ provide }) => provide) };
  }
}
