import { DeadLetterPublisher } from '../event-sourcing/relay/dead-letter-publisher.js';
import { EventDelivery } from '../event-sourcing/subscription/event-delivery.js';
import type { ParkedStream, SubscriptionHandler } from '../event-sourcing/subscription/subscription-handler.js';
import { Subscription } from '../event-sourcing/subscription/subscription.js';
import { LeaderLock } from '../platform/postgres/leader-lock.js';
import type { Infrastructure } from './infrastructure.js';
import { postgresOptions } from './postgres-options.js';

/** A subscription to the whole log, with its leader lock, its consumer and its dead letters. */
export function createSubscription(
  infra: Infrastructure,
  name: string,
  handler: SubscriptionHandler,
  spanName?: string,
): Subscription {
  const { config, log, store, nats, eventsStream, appends, pool, catalog } = infra;
  const deadLetters = new DeadLetterPublisher({ nats, prefix: config.NATS_STREAM_PREFIX });
  return new Subscription({
    name,
    pool,
    events: store,
    recent: store.recent,
    catalog,
    handler,
    lock: new LeaderLock({ name, postgres: postgresOptions(config, `${name} lead`), log }),
    delivery: new EventDelivery({ nats, stream: eventsStream, catalog, consumer: name, log }),
    appends,
    log,
    ...(spanName !== undefined && { spanName }),
    onParked: (parked) => deadLetters.publish('stream', parkedId(parked), bodyOf(parked)),
  });
}

const parkedId = ({ subscription, streamId, fromPosition }: ParkedStream): string =>
  `${subscription}-${streamId}-${fromPosition}`;

const bodyOf = (parked: ParkedStream) => ({
  subscription: parked.subscription,
  stream: `${parked.streamType}-${parked.streamId}`,
  from_position: parked.fromPosition.toString(),
  from_version: parked.fromVersion,
  error: parked.error,
  parked_at: parked.parkedAt.toISOString(),
});
