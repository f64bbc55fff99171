import type { EventStore } from '../../event-sourcing/core/event-store.js';
import { API_BASE } from '../../http/api-path.js';
import type { PayloadStore } from '../../platform/payloads/payload-store.js';
import { executionViewOf } from '../../tasks/queries/execution-view.js';
import { bytesPerOutput, NO_TEXT, textOf } from '../../tasks/queries/output-excerpt.js';
import { TEST_EVENT } from '../domain/delivered-events.js';
import type { DeliveryRow } from '../queries/delivery-projection.js';
import { CLOUD_EVENT_MEDIA_TYPE, cloudEventOf } from './cloud-event.js';
import { deliveredExecution } from './delivered-execution.js';
import type { MessageFormat } from './message-format.js';

/** Of stdout, stderr and the output of the compiler together, if output is included. */
export const OUTPUT_BYTES_MAX = 64 * 1024;

/** A CloudEvent as JSON. */
export class CloudEventFormat implements MessageFormat {
  readonly method = 'POST';
  readonly mediaType = CLOUD_EVENT_MEDIA_TYPE;

  constructor(
    private readonly store: Pick<EventStore, 'readStream'>,
    private readonly payloads: PayloadStore,
  ) {}

  async bodyOf(delivery: DeliveryRow): Promise<string> {
    const { event_id: id, event_type: type, event_time, source_id: subject, traceparent } = delivery;
    const isTest = type === TEST_EVENT;
    const source = `/${API_BASE}/${isTest ? 'webhooks' : 'executions'}`;
    const data = isTest ? { webhook_id: subject } : await this.execution(delivery);
    return JSON.stringify(cloudEventOf({ id, type, time: new Date(event_time), source, subject, traceparent, data }));
  }

  private async execution(delivery: DeliveryRow) {
    const row = await deliveredExecution(this.store, delivery);
    if (!delivery.include_output) return executionViewOf(row, NO_TEXT);
    return executionViewOf(row, await textOf(row, this.payloads, bytesPerOutput([row], OUTPUT_BYTES_MAX)));
  }
}
