import { PositionAnnouncements } from '../../src/event-sourcing/projection/position-announcements.js';
import { ProjectionHandler } from '../../src/event-sourcing/projection/projection-handler.js';
import { AppendSignal } from '../../src/event-sourcing/relay/append-signal.js';
import { EventPublisher } from '../../src/event-sourcing/relay/event-publisher.js';
import { EventRelay, type EventRelayOptions } from '../../src/event-sourcing/relay/event-relay.js';
import { EventsStream } from '../../src/event-sourcing/relay/events-stream.js';
import { leastCheckpoint } from '../../src/event-sourcing/subscription/checkpoint-store.js';
import { EventDelivery } from '../../src/event-sourcing/subscription/event-delivery.js';
import { Subscription, type SubscriptionOptions } from '../../src/event-sourcing/subscription/subscription.js';
import { ignoreErrors } from '../../src/platform/async/ignore-errors.js';
import type { NatsLink } from '../../src/platform/nats/nats-link.js';
import { LeaderLock } from '../../src/platform/postgres/leader-lock.js';
import { silentLog } from '../../src/platform/telemetry/log.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { eventually } from './eventually.js';
import { createToyTable, toyCatalog, ToyLog, toyProjection, type ToyRow } from './toy-log.js';

/** Something that runs until it is stopped. */
export interface Running {
  stop(): Promise<void>;
}

export function running(run: (signal: AbortSignal) => Promise<void>): Running {
  const controller = new AbortController();
  const done = run(controller.signal);
  return {
    stop: async () => {
      controller.abort();
      await done;
    },
  };
}

/** Relay and projector with toy events, on real Postgres and NATS; a test starts and stops each part. */
export class ToyPipeline {
  readonly stream: EventsStream;
  readonly appends: AppendSignal;
  readonly announcements: PositionAnnouncements;
  private readonly started = new Set<Running>();

  private constructor(
    readonly database: TestDatabase,
    readonly log: ToyLog,
    readonly nats: NatsLink,
    readonly prefix: string,
  ) {
    this.stream = new EventsStream({ nats, prefix, bytesMax: 64 * 1024 ** 2 });
    this.appends = new AppendSignal({
      postgres: database.app,
      log: silentLog,
      local: (listener) => log.onAppended(listener),
    });
    this.announcements = new PositionAnnouncements({ nats, prefix, subscription: 'projector', isShared: () => true });
  }

  static async create(nats: NatsLink, prefix: string): Promise<ToyPipeline> {
    const database = await createTestDatabase();
    await createToyTable(database.ownerPool);
    const pipeline = new ToyPipeline(database, new ToyLog(database), nats, prefix);
    pipeline.start((signal) => pipeline.appends.run(signal));
    return pipeline;
  }

  start(run: (signal: AbortSignal) => Promise<void>): Running {
    const part = running(run);
    const tracked = {
      stop: async () => {
        this.started.delete(tracked);
        await part.stop();
      },
    };
    this.started.add(tracked);
    return tracked;
  }

  relay(options: Partial<EventRelayOptions> = {}): EventRelay {
    return new EventRelay({
      events: this.log,
      stream: this.stream,
      publisher: new EventPublisher({ nats: this.nats, prefix: this.prefix }),
      lock: this.lock('relay'),
      appends: this.appends,
      leastCheckpoint: () => leastCheckpoint(this.database.appPool, ['projector']),
      log: silentLog,
      ...options,
    });
  }

  projector(options: Partial<SubscriptionOptions> = {}): Subscription {
    return new Subscription({
      name: 'projector',
      pool: this.database.appPool,
      events: this.log,
      catalog: toyCatalog,
      handler: new ProjectionHandler(this.database.appPool, [toyProjection], (position) =>
        this.announcements.announce(position),
      ),
      lock: this.lock('projector'),
      delivery: new EventDelivery({
        ...{ nats: this.nats, stream: this.stream, catalog: toyCatalog },
        ...{ consumer: 'projector', log: silentLog },
      }),
      appends: this.appends,
      log: silentLog,
      poison: { failures: 3, overMs: 30 },
      ...options,
    });
  }

  lock(name: string): LeaderLock {
    return new LeaderLock({ name, postgres: this.database.app, log: silentLog, retryIntervalMs: 50 });
  }

  async checkpoint(name = 'projector'): Promise<bigint> {
    const { rows } = await this.database.appPool.query<{ position: bigint }>(
      'select position from read.checkpoints where subscription = $1',
      [name],
    );
    return rows[0]?.position ?? 0n;
  }

  async rows(): Promise<ToyRow[]> {
    return (await this.database.appPool.query<ToyRow>('select * from read.toys order by id')).rows;
  }

  async totals(): Promise<Record<string, number>> {
    return Object.fromEntries((await this.rows()).map(({ id, total }) => [id, total]));
  }

  /** Waits until the views have reached the position. */
  async projected(position: bigint, timeoutMs = 10_000): Promise<void> {
    await eventually(
      async () => {
        const checkpoint = await this.checkpoint();
        if (checkpoint < position) throw new Error(`the projector is at ${checkpoint}, not yet at ${position}`);
      },
      { timeoutMs },
    );
  }

  /** The positions in the stream, in its order. */
  async streamed(): Promise<bigint[]> {
    const info = await this.stream.info();
    const manager = await this.nats.manager();
    const positions: bigint[] = [];
    for (let seq = info?.state.first_seq ?? 1; info && seq <= info.state.last_seq && seq > 0; seq++) {
      const message = await ignoreErrors(manager.streams.getMessage(this.stream.name, { seq }), 'a deleted message');
      if (message) positions.push(BigInt(message.header.get('voidrunner-position')));
    }
    return positions;
  }

  async close(): Promise<void> {
    await Promise.all([...this.started].map((part) => part.stop()));
    await this.log.close();
    await this.database.drop();
  }
}

export const upTo = (position: bigint, from = 1n): bigint[] =>
  Array.from({ length: Number(position - from + 1n) }, (_, index) => from + BigInt(index));
