import { SpanKind } from '@opentelemetry/api';
import type { CommandBus } from '@nestjs/cqrs';
import type { Pool, PoolClient } from 'pg';

import type { Delivery, RecordedEvent } from '../../event-sourcing/core/event.js';
import { LiveTable } from '../../event-sourcing/projection/live-table.js';
import type { Changes, SubscriptionHandler } from '../../event-sourcing/subscription/subscription-handler.js';
import { allSettled } from '../../platform/async/all-settled.js';
import { mapInParallel } from '../../platform/async/map-in-parallel.js';
import { inSpan } from '../../platform/telemetry/trace-context.js';
import type { ExecutionEvent } from '../../tasks/domain/execution-events.js';
import { subscribableEventOf } from '../domain/subscribable-event-of.js';
import { RequestDelivery } from '../domain/delivery-commands.js';
import { deliveryIdOf, GONE } from '../domain/delivery-decider.js';
import type { RequestedDelivery } from '../domain/delivery-events.js';
import type { WebhookEvent } from '../domain/webhook-events.js';
import { deliveryProjection } from '../queries/delivery-projection.js';
import type { DeliveryDispatcher } from './delivery-dispatcher.js';
import { deliveryMetadata } from './delivery-metadata.js';
import { type ExecutionOwner, ExecutionOwners } from './execution-owners.js';
import { isAttempt, targetProjection } from './target-projection.js';
import { type SubscribersInBatch, WebhookTargets } from './webhook-targets.js';

/** Requests of deliveries that are recorded at a time; they share appends. */
const REQUESTS_AT_A_TIME = 32;

/**
 * Follows the log: what happens to an execution becomes a delivery to each webhook that subscribes to it, as the log has
 * the webhooks at that position. The request of a delivery is recorded before the checkpoint moves, under an id that is
 * derived from event and webhook, so that a crash in between loses none and repeats none.
 */
export class WebhookSubscription implements SubscriptionHandler {
  private readonly targets: LiveTable;
  private readonly deliveries: LiveTable;
  private readonly owners: ExecutionOwners;
  private readonly subscribers: WebhookTargets;

  constructor(
    pool: Pick<Pool, 'query'>,
    private readonly commands: Pick<CommandBus, 'execute'>,
    private readonly dispatcher: Pick<DeliveryDispatcher, 'applied' | 'forget'>,
  ) {
    this.targets = new LiveTable(pool, targetProjection);
    this.deliveries = new LiveTable(pool, deliveryProjection);
    this.owners = new ExecutionOwners(pool);
    this.subscribers = new WebhookTargets(pool);
  }

  concerns({ stream }: Pick<RecordedEvent, 'stream'>): boolean {
    return stream.type === 'execution' || stream.type === 'webhook' || stream.type === 'delivery';
  }

  /** The deliveries of an execution are requested at once. Only the checkpoint waits, for which nobody does. */
  canWait({ stream }: RecordedEvent): boolean {
    return stream.type === 'execution';
  }

  async runEffects(deliveries: readonly Delivery[], signal: AbortSignal, ranUpTo: bigint): Promise<void> {
    const events = deliveries.map(({ event }) => event);
    const announced = ofStream<ExecutionEvent>(events, 'execution').filter(
      (event) => subscribableEventOf(event) !== null,
    );
    if (announced.length === 0) return;
    const owners = await this.owners.of(announced);
    const subscribers = await this.subscribers.of([...owners.values()].map(({ owner_id }) => owner_id));
    const requests: (() => Promise<unknown>)[] = [];
    for (const delivery of deliveries) {
      const { event } = delivery;
      if (event.stream.type === 'webhook') subscribers.fold(event as RecordedEvent<WebhookEvent>);
      if (event.stream.type !== 'execution' || event.position <= ranUpTo) continue;
      const owner = owners.get(event.stream.id);
      if (!owner) continue;
      const requested = requestedBy(event as RecordedEvent<ExecutionEvent>, owner, subscribers);
      requests.push(...requested.map((request) => () => this.request(request, delivery)));
    }
    signal.throwIfAborted();
    await mapInParallel(requests, REQUESTS_AT_A_TIME, (request) => request());
  }

  async change(events: readonly RecordedEvent[]): Promise<Changes> {
    const concerning = events.filter(({ stream }) => stream.type !== 'execution');
    const [targets, deliveries] = await allSettled([
      this.targets.change(concerning),
      this.deliveries.change(concerning),
    ]);
    return {
      writes: [...targets.writes, ...deliveries.writes],
      applied: () => {
        targets.applied();
        deliveries.applied();
        const webhooks = ofStream<WebhookEvent>(concerning, 'webhook');
        this.subscribers.forgetChanged(webhooks);
        const changed = new Set(
          concerning.filter(({ stream }) => stream.type === 'delivery').map(({ stream }) => stream.id),
        );
        const isGone = concerning.some((event) => isAttempt(event) && event.data.status_code === GONE);
        if (concerning.length > 0)
          this.dispatcher.applied(
            [...changed].map((id) => ({ id, lane: this.laneOf(id) })),
            webhooks.length > 0 || isGone,
          );
      },
    };
  }

  forget(): void {
    this.targets.forget();
    this.deliveries.forget();
    this.subscribers.forget();
    this.dispatcher.forget();
  }

  async reset(client: PoolClient): Promise<void> {
    await client.query('delete from read.webhook_targets');
    await client.query('delete from read.webhook_deliveries');
  }

  private laneOf(deliveryId: string): string | null {
    return (this.deliveries.rememberedRow(deliveryId)?.['lane'] as string | undefined) ?? null;
  }

  /** In the trace of the event. */
  private request(requested: RequestedDelivery, { event, traceparent }: Delivery): Promise<unknown> {
    const attributes = { 'voidrunner.event': event.type, 'voidrunner.position': String(event.position) };
    return inSpan('webhooks.request', { kind: SpanKind.CONSUMER, attributes, traceparent }, () =>
      this.commands.execute(
        new RequestDelivery(requested, deliveryMetadata({ ...requested, traceparent: traceparent ?? null })),
      ),
    );
  }
}

const ofStream = <Event extends ExecutionEvent | WebhookEvent>(
  events: readonly RecordedEvent[],
  type: 'execution' | 'webhook',
): readonly RecordedEvent<Event>[] =>
  events.filter(({ stream }) => stream.type === type) as unknown as readonly RecordedEvent<Event>[];

/** The deliveries that an event of an execution causes. */
function requestedBy(
  event: RecordedEvent<ExecutionEvent>,
  { owner_id, webhook }: ExecutionOwner,
  subscribers: SubscribersInBatch,
): readonly RequestedDelivery[] {
  const event_type = subscribableEventOf(event);
  if (event_type === null) return [];
  const facts = {
    owner_id,
    event_id: event.eventId,
    event_type,
    event_time: event.recordedAt.toISOString(),
    source_id: event.stream.id,
    source_version: event.version,
  };
  const toWebhooks = subscribers
    .ofOwner(owner_id)
    .filter(({ status, events }) => status === 'enabled' && events.includes(event_type))
    .map(({ webhook_id, include_output }) => ({
      ...facts,
      delivery_id: deliveryIdOf(webhook_id, event.eventId),
      webhook_id,
      endpoint: null,
      include_output,
    }));
  if (!webhook?.events.includes(event_type)) return toWebhooks;
  const { endpoint, include_output } = webhook;
  // Who asked for it: also the limits of deliveries are theirs.
  const { owner_id: askedBy } = webhook;
  const delivery_id = deliveryIdOf(event.stream.id, event.eventId);
  return [...toWebhooks, { ...facts, owner_id: askedBy, delivery_id, webhook_id: null, endpoint, include_output }];
}
