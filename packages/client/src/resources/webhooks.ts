import type {
  CreateWebhook,
  Message,
  UpdateWebhook,
  Webhook,
  WebhookDelivery,
  WebhookDeliveryList,
  WebhookList,
  WebhookWithSecret,
} from '../api-objects.js';
import type { operations } from '../generated/api.js';
import type { Http } from '../http.js';
import type { CallOptions, PostOptions } from '../options.js';
import { itemsOfPages, type ListItems } from '../pages.js';
import { postInit, signalOf, unwrap } from '../unwrap.js';

export type ListWebhooks = NonNullable<operations['listWebhooks']['parameters']['query']>;
export type ListDeliveries = NonNullable<operations['listWebhookDeliveries']['parameters']['query']>;

/** Where the service sends what happens to executions. */
export class Webhooks {
  constructor(private readonly http: Http) {}

  /** `secret` verifies the signatures. It is in this response only. */
  create(body: CreateWebhook, options: PostOptions = {}): Promise<WebhookWithSecret> {
    return unwrap(this.http.POST('/api/v1/webhooks', { body, ...postInit(options) }));
  }

  get(id: string, options: CallOptions = {}): Promise<Webhook> {
    return unwrap(this.http.GET('/api/v1/webhooks/{id}', { params: { path: { id } }, ...signalOf(options) }));
  }

  list(query: ListItems<ListWebhooks> = {}, options: CallOptions = {}): AsyncGenerator<Webhook, void> {
    return itemsOfPages(
      (cursor) => this.page({ ...query, cursor }, options),
      ({ webhooks }) => webhooks,
    );
  }

  page(query: ListWebhooks = {}, options: CallOptions = {}): Promise<WebhookList> {
    return unwrap(this.http.GET('/api/v1/webhooks', { params: { query }, ...signalOf(options) }));
  }

  /** Changes only what is given. @throws ConflictError `webhook_changed`: may be repeated */
  update(id: string, body: UpdateWebhook, options: CallOptions = {}): Promise<Webhook> {
    return unwrap(this.http.PUT('/api/v1/webhooks/{id}', { params: { path: { id } }, body, ...signalOf(options) }));
  }

  delete(id: string, options: CallOptions = {}): Promise<Message> {
    return unwrap(this.http.DELETE('/api/v1/webhooks/{id}', { params: { path: { id } }, ...signalOf(options) }));
  }

  /** For 24 hours, the previous secret signs as well. */
  rotateSecret(id: string, options: PostOptions = {}): Promise<WebhookWithSecret> {
    return unwrap(
      this.http.POST('/api/v1/webhooks/{id}/rotate-secret', { params: { path: { id } }, ...postInit(options) }),
    );
  }

  /** Sends a test event. */
  test(id: string, options: PostOptions = {}): Promise<WebhookDelivery> {
    return unwrap(this.http.POST('/api/v1/webhooks/{id}/test', { params: { path: { id } }, ...postInit(options) }));
  }

  deliveries(
    id: string,
    query: ListItems<ListDeliveries> = {},
    options: CallOptions = {},
  ): AsyncGenerator<WebhookDelivery, void> {
    return itemsOfPages(
      (cursor) => this.deliveriesPage(id, { ...query, cursor }, options),
      ({ deliveries }) => deliveries,
    );
  }

  deliveriesPage(id: string, query: ListDeliveries = {}, options: CallOptions = {}): Promise<WebhookDeliveryList> {
    return unwrap(
      this.http.GET('/api/v1/webhooks/{id}/deliveries', { params: { path: { id }, query }, ...signalOf(options) }),
    );
  }

  /** With the same `webhook-id` and a new series of attempts. */
  redeliver(id: string, delivery: string, options: PostOptions = {}): Promise<WebhookDelivery> {
    return unwrap(
      this.http.POST('/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver', {
        params: { path: { id, delivery } },
        ...postInit(options),
      }),
    );
  }
}
