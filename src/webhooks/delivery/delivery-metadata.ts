import type { EventMetadata } from '../../event-sourcing/core/event.js';
import type { DeliveryRow } from '../queries/delivery-projection.js';

const ACTOR = 'system:webhooks';

/** Of what happens to a delivery: caused by its event, and part of its trace. */
export function deliveryMetadata({
  source_id,
  event_id,
  traceparent,
}: Pick<DeliveryRow, 'source_id' | 'event_id' | 'traceparent'>): EventMetadata {
  return {
    actor: ACTOR,
    correlation_id: source_id,
    causation_id: event_id,
    ...(traceparent !== null && { traceparent }),
  };
}

/** Of what the service does to a webhook. */
export const webhookMetadata = (webhookId: string): EventMetadata => ({ actor: ACTOR, correlation_id: webhookId });
