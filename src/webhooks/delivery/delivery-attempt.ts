import { SpanKind } from '@opentelemetry/api';

import { currentTraceparent, inSpan } from '../../platform/telemetry/trace-context.js';
import type { AttemptOutcome } from '../domain/delivery-commands.js';
import { GONE } from '../domain/delivery-decider.js';
import { nextAttemptAt } from '../domain/retry-schedule.js';
import { type Endpoint, type EndpointFormat, secretsAt } from '../../webhook-endpoints/endpoint.js';
import type { EndpointSeals } from '../../webhook-endpoints/endpoint-seals.js';
import { signedHeaders } from '../../webhook-endpoints/signature.js';
import type { MessageFormat } from './message-format.js';
import type { DueDelivery } from './pending-deliveries.js';
import type { SendResult, WebhookSender } from './webhook-sender.js';

export interface AttemptParts {
  readonly endpoints: EndpointSeals;
  readonly formats: Readonly<Record<EndpointFormat, MessageFormat>>;
  readonly sender: WebhookSender;
  readonly userAgent: string;
  /** For metrics. @param waitedMs since the event, for a first attempt */
  readonly onAttempt: (outcome: 'delivered' | 'failed', durationMs: number) => void;
}

/** One attempt at a delivery. */
export class DeliveryAttempt {
  constructor(private readonly parts: AttemptParts) {}

  /**
   * In the trace of the event.
   * @returns null if it was stopped and counts for nothing; `erased`: the URL has been destroyed
   * @throws Unavailable
   */
  make(delivery: DueDelivery, now: () => Date, signal: AbortSignal): Promise<AttemptOutcome | 'erased' | null> {
    const attributes = {
      'voidrunner.delivery': delivery.id,
      'voidrunner.event_type': delivery.event_type,
      'voidrunner.attempt': delivery.attempts + 1,
    };
    const traceparent = delivery.traceparent ?? undefined;
    return inSpan('webhooks.deliver', { kind: SpanKind.CLIENT, attributes, traceparent }, async (span) => {
      const endpoint = await this.endpointOf(delivery);
      if (endpoint === null) return 'erased';
      const format = this.parts.formats[endpoint.format];
      const body = await format.bodyOf(delivery);
      const headers = {
        'content-type': format.mediaType,
        'user-agent': this.parts.userAgent,
        ...signedHeaders(delivery.event_id, now(), body, secretsAt(endpoint, now())),
        ...traceHeaders(),
      };
      const result = await this.parts.sender.send({ url: endpoint.url, method: format.method, headers, body }, signal);
      if (signal.aborted && result.statusCode === null) return null;
      span.setAttribute('voidrunner.outcome', result.failure ?? 'delivered');
      this.parts.onAttempt(result.failure === null ? 'delivered' : 'failed', result.durationMs);
      return outcomeOf(result, delivery.attempts + 1, now());
    });
  }

  private async endpointOf({
    owner_id,
    webhook_id,
    source_id,
    target_endpoint,
  }: DueDelivery): Promise<Endpoint | null> {
    if (target_endpoint === null) return null;
    const of = webhook_id === null ? { executionId: source_id } : { webhookId: webhook_id };
    return this.parts.endpoints.open(owner_id, of, target_endpoint);
  }
}

function traceHeaders(): Record<string, string> {
  const traceparent = currentTraceparent();
  return traceparent === undefined ? {} : { traceparent };
}

function outcomeOf({ statusCode, failure, durationMs }: SendResult, attempt: number, now: Date): AttemptOutcome {
  if (failure === null) return { delivered: true, statusCode, durationMs };
  const isFinal = statusCode === GONE;
  const next = isFinal ? null : nextAttemptAt(attempt, now, Math.random());
  return { delivered: false, failure, statusCode, durationMs, nextAttemptAt: next };
}
