import type { Redis } from 'ioredis';
import type { Pool } from 'pg';

import type { Config } from '../config/load-config.js';
import { DecisionRunner } from '../event-sourcing/core/decision-runner.js';
import type { EventCatalog } from '../event-sourcing/core/event-catalog.js';
import { PostgresEventStore } from '../event-sourcing/event-store/postgres-event-store.js';
import { PostgresSnapshotStore } from '../event-sourcing/event-store/snapshots.js';
import { PostgresStreamVersions } from '../event-sourcing/event-store/stream-versions.js';
import { StreamWatch } from '../event-sourcing/event-store/stream-watch.js';
import { PositionAnnouncements } from '../event-sourcing/projection/position-announcements.js';
import { PositionWaiter } from '../event-sourcing/projection/position-waiter.js';
import { AppendSignal } from '../event-sourcing/relay/append-signal.js';
import { EventsStream } from '../event-sourcing/relay/events-stream.js';
import { ConcurrentRequests } from '../http/concurrent-requests.js';
import { ConnectionLimits } from '../http/connection-limits.js';
import { LargeBodies } from '../http/large-bodies.js';
import { LargeResponses, UserConcurrencyLimit } from '../http/user-concurrency.js';
import { NatsLiveInput } from '../live-input/nats-live-input.js';
import { NatsLiveOutput } from '../live-output/nats-live-output.js';
import type { NatsLink } from '../platform/nats/nats-link.js';
import { PayloadSweep } from '../platform/payloads/payload-sweep.js';
import { PostgresPayloadStore } from '../platform/payloads/postgres-payload-store.js';
import { PostgresStorageQuota } from '../platform/payloads/postgres-storage-quota.js';
import { PostgresSealedTexts } from '../platform/payloads/sealed-texts.js';
import { PLANS_BY_INDEX } from '../platform/postgres/plans-by-index.js';
import { createPool, type PostgresOptions } from '../platform/postgres/pool.js';
import { closeRedis, createRedis } from '../platform/redis/create-redis.js';
import type { Log } from '../platform/telemetry/log.js';
import { Observations } from '../platform/telemetry/observations.js';
import type { JobQueue } from '../queue/job-queue.js';
import { RedisJobQueue } from '../queue/redis-job-queue.js';
import { loadRuntimes } from '../runtimes/load-runtimes.js';
import { OfferedRuntimes } from '../runtimes/offered-runtimes.js';
import type { RuntimeOffer } from '../runtimes/runtime-offer.js';
import type { Runtimes } from '../runtimes/runtimes.js';
import { EndpointSeals } from '../webhook-endpoints/endpoint-seals.js';
import { createNats } from './connect-nats.js';
import { createEventCatalog } from './event-catalog.js';
import { postgresOptions, PROJECTOR } from './postgres-options.js';
import { masterKeysOf } from './secrets.js';

/** The connections and adapters that all roles share. Created once per process, closed once, in reverse order. */
export interface Infrastructure {
  readonly config: Config;
  readonly log: Log;
  readonly catalog: EventCatalog;
  readonly postgres: PostgresOptions;
  readonly pool: Pool;
  readonly store: PostgresEventStore;
  readonly decisions: DecisionRunner;
  readonly versions: PostgresStreamVersions;
  readonly streamWatch: StreamWatch;
  readonly payloads: PostgresPayloadStore;
  readonly quota: PostgresStorageQuota;
  /** Where webhooks are sent. */
  readonly endpointSeals: EndpointSeals;
  readonly sweep: PayloadSweep;
  readonly nats: NatsLink;
  readonly eventsStream: EventsStream;
  readonly liveOutput: NatsLiveOutput;
  readonly liveInput: NatsLiveInput;
  readonly redis: Redis;
  readonly queue: RedisJobQueue;
  readonly runtimes: Runtimes;
  readonly offeredRuntimes: OfferedRuntimes;
  readonly appends: AppendSignal;
  /** The projector's position. */
  readonly projected: PositionAnnouncements;
  readonly visibility: PositionWaiter;
  /** Requests that stay open on purpose. */
  readonly concurrent: ConcurrentRequests;
  readonly connections: ConnectionLimits;
  /** Requests that are being handled. */
  readonly requestSlots: UserConcurrencyLimit;
  readonly largeBodies: LargeBodies;
  readonly largeResponses: LargeResponses;
  /** For metrics. */
  readonly observations: Observations;
  close(): Promise<void>;
}

/** Per user. A waiting request holds only its head, a few KiB. */
const WAITING = { waitingMax: 2_000, waitMsMax: 20_000 };
/** Of all users. Each takes two to three times its size, which is up to 24 MiB (ADR 57). */
const LARGE_BODIES_MAX = 4;
/** For longer than other requests: those before it may arrive slowly. */
const LARGE_BODY_WAITING = { ...WAITING, waitMsMax: 60_000 };
/** Per user. Each holds its content in memory until the client has read it (ADR 39); for `/output`, a whole stream. */
const LARGE_RESPONSES_MAX = 2;

/** Far longer than a request: a request stores its script before its event. */
const UNREFERENCED_SCRIPTS_MS = 86_400_000;

/**
 * Connects in the background: if a dependency is down, its users fail with Unavailable, but the start succeeds.
 * @throws InvalidRuntimes
 */
export function createInfrastructure(config: Config, log: Log): Infrastructure {
  const runtimes = loadRuntimes(config.RUNTIMES_DIR);
  const catalog = createEventCatalog();
  const postgres = postgresOptions(config, 'service');
  const pool = createPool({ ...postgres, size: config.DB_POOL_SIZE, settings: PLANS_BY_INDEX, log });
  const store = new PostgresEventStore({ postgres: postgresOptions(config, 'append'), pool, catalog, log });
  const decisions = new DecisionRunner(store, catalog, new PostgresSnapshotStore(pool));
  store.onConnectionLost(() => decisions.forget());
  const nats = createNats(config, log);
  const { REDIS_HOST: host, REDIS_PORT: port, REDIS_PASSWORD: password, REDIS_DB: db } = config;
  const redis = createRedis({ host, port, password, db, name: 'voidrunner', log });
  const prefix = config.NATS_STREAM_PREFIX;
  const projected = new PositionAnnouncements({
    ...{ nats, prefix, subscription: PROJECTOR },
    isShared: () => store.isShared(),
  });
  const visibility = new PositionWaiter({ pool, announcements: projected, subscription: PROJECTOR, log });
  const queue = createQueue(config, redis, log);
  const appends = new AppendSignal({
    postgres: postgresOptions(config, 'listen'),
    log,
    local: (listener) => store.onAppended(listener),
  });
  const versions = new PostgresStreamVersions(pool);
  const stopped = new AbortController();
  nats.start();
  visibility.start();
  const listening = appends.run(stopped.signal);

  return {
    config,
    log,
    catalog,
    postgres,
    pool,
    store,
    decisions,
    versions,
    streamWatch: new StreamWatch(versions, (listener) => appends.onAppend(listener), log),
    payloads: new PostgresPayloadStore({ pool, masterKeys: masterKeysOf(config) }),
    endpointSeals: new EndpointSeals(new PostgresSealedTexts({ pool, masterKeys: masterKeysOf(config) })),
    quota: new PostgresStorageQuota(pool, config.STORAGE_QUOTA_MB * 1024 ** 2),
    sweep: new PayloadSweep(pool, {
      executionsMs: config.RETENTION_RUNS,
      deletedTasksMs: config.RETENTION_DELETED_TASKS,
      unreferencedScriptsMs: UNREFERENCED_SCRIPTS_MS,
    }),
    nats,
    eventsStream: new EventsStream({ nats, prefix, bytesMax: config.NATS_EVENTS_MAX_BYTES }),
    liveOutput: new NatsLiveOutput({ nats, prefix, bytesMax: config.NATS_OUTPUT_MAX_BYTES }),
    liveInput: new NatsLiveInput({ nats, prefix }),
    redis,
    queue,
    runtimes,
    offeredRuntimes: new OfferedRuntimes(() => offersOf(queue)),
    appends,
    projected,
    visibility,
    concurrent: new ConcurrentRequests(config.RATE_LIMIT_CONCURRENT),
    connections: new ConnectionLimits({
      max: config.SERVER_CONNECTIONS_MAX,
      perAddressMax: config.SERVER_CONNECTIONS_PER_ADDRESS,
      trustProxy: config.SERVER_TRUST_PROXY,
    }),
    requestSlots: new UserConcurrencyLimit({ name: 'requests', concurrentMax: config.RATE_LIMIT_AT_ONCE, ...WAITING }),
    largeBodies: new LargeBodies({ concurrentMax: LARGE_BODIES_MAX, ...LARGE_BODY_WAITING }),
    largeResponses: new LargeResponses({ name: 'large_answers', concurrentMax: LARGE_RESPONSES_MAX, ...WAITING }),
    observations: new Observations(),
    async close() {
      stopped.abort();
      visibility.close();
      await listening;
      await queue.close();
      await closeRedis(redis);
      await nats.close();
      await store.close();
      await pool.end();
    },
  };
}

/** What the live workers can run: each offers a runtime once. One whose engine is down keeps its last list. */
export const offersOf = async (queue: JobQueue): Promise<RuntimeOffer[]> =>
  (await queue.workers()).flatMap(({ figures, runtimes = [] }) => (figures?.healthy ? runtimes : []));

const createQueue = (config: Config, redis: Redis, log: Log): RedisJobQueue =>
  new RedisJobQueue({
    redis,
    namespace: config.QUEUE_NAMESPACE,
    userConcurrencyMax: config.WORKER_MAX_USER_CONCURRENT_TASKS,
    ageingIntervalMs: config.QUEUE_AGEING_INTERVAL,
    log,
  });
