import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';

import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { reportingOutages } from '../../platform/postgres/outage.js';
import type { WebhookEvent } from '../domain/webhook-events.js';
import { foldTarget, type WebhookTarget } from './target-projection.js';

/** Owners whose webhooks are remembered; most have none. */
const OWNERS_MAX = 20_000;

type OfOwner = ReadonlyMap<string, WebhookTarget>;

/** The webhooks of the owners in a batch of events; `fold` keeps them as the log has them at each event. */
export class SubscribersInBatch {
  constructor(private readonly byOwner: Map<string, OfOwner>) {}

  ofOwner(ownerId: string): readonly WebhookTarget[] {
    return [...(this.byOwner.get(ownerId)?.values() ?? [])];
  }

  fold(event: RecordedEvent<WebhookEvent>): void {
    const { id } = event.stream;
    const ownerId = event.type === 'WebhookCreated' ? event.data.owner_id : this.ownerOf(id);
    const before = ownerId === undefined ? undefined : this.byOwner.get(ownerId);
    // Of an owner to whom nothing else happens in this batch.
    if (ownerId === undefined || before === undefined) return;
    const target = foldTarget(before.get(id) ?? null, event);
    const after = new Map(before);
    if (target) after.set(id, target);
    else after.delete(id);
    this.byOwner.set(ownerId, after);
  }

  private ownerOf(webhookId: string): string | undefined {
    for (const [ownerId, webhooks] of this.byOwner) if (webhooks.has(webhookId)) return ownerId;
    return undefined;
  }
}

/**
 * The webhooks of owners at the checkpoint of the subscription. Only the leader writes to their table, so what it has
 * read stays true until it applies an event of a webhook.
 */
export class WebhookTargets {
  private readonly remembered = new LRUCache<string, OfOwner>({ max: OWNERS_MAX });

  constructor(private readonly pool: Pick<Pool, 'query'>) {}

  /** @throws Unavailable */
  async of(ownerIds: readonly string[]): Promise<SubscribersInBatch> {
    const byOwner = new Map<string, OfOwner>();
    const unknown = new Set<string>();
    for (const ownerId of ownerIds) {
      const known = this.remembered.get(ownerId);
      if (known) byOwner.set(ownerId, known);
      else unknown.add(ownerId);
    }
    if (unknown.size > 0)
      for (const [ownerId, webhooks] of await this.load([...unknown])) byOwner.set(ownerId, webhooks);
    return new SubscribersInBatch(byOwner);
  }

  /** The table has changed. An event of a webhook other than its first does not name its owner. */
  forgetChanged(events: readonly RecordedEvent<WebhookEvent>[]): void {
    for (const event of events) {
      if (event.type === 'WebhookCreated') this.remembered.delete(event.data.owner_id);
      else this.forgetOwnerOf(event.stream.id);
    }
  }

  forget(): void {
    this.remembered.clear();
  }

  private forgetOwnerOf(webhookId: string): void {
    for (const [ownerId, webhooks] of this.remembered.entries()) {
      if (webhooks.has(webhookId)) this.remembered.delete(ownerId);
    }
  }

  private async load(ownerIds: readonly string[]): Promise<ReadonlyMap<string, OfOwner>> {
    const { rows } = await reportingOutages(() =>
      this.pool.query<WebhookTarget>('select * from read.webhook_targets where owner_id = any ($1::uuid[])', [
        ownerIds,
      ]),
    );
    const loaded = new Map<string, Map<string, WebhookTarget>>(ownerIds.map((ownerId) => [ownerId, new Map()]));
    for (const row of rows) loaded.get(row.owner_id)?.set(row.webhook_id, row);
    for (const [ownerId, webhooks] of loaded) this.remembered.set(ownerId, webhooks);
    return loaded;
  }
}
