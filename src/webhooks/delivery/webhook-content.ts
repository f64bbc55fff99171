import { fold } from '../../event-sourcing/core/decider.js';
import type { EventStore } from '../../event-sourcing/core/event-store.js';
import { eventsAs } from '../../event-sourcing/core/event.js';
import { API_BASE } from '../../http/api-path.js';
import type { PayloadStore } from '../../platform/payloads/payload-store.js';
import type { ExecutionEvent } from '../../tasks/domain/execution-events.js';
import { executionStream } from '../../tasks/domain/execution-state.js';
import { type ExecutionRow, projectExecution } from '../../tasks/queries/execution-projection.js';
import { executionViewOf } from '../../tasks/queries/execution-view.js';
import { bytesPerOutput, NO_TEXT, textOf } from '../../tasks/queries/output-excerpt.js';
import { TEST_EVENT } from '../domain/delivered-events.js';
import type { DeliveryRow } from '../queries/delivery-projection.js';
import { cloudEventOf } from './cloud-event.js';

/** Of stdout, stderr and the output of the compiler together, if output is included. */
export const OUTPUT_BYTES_MAX = 64 * 1024;

/** What a webhook sends. It is made anew for each attempt, from the log, and is the same each time. */
export class WebhookContent {
  constructor(
    private readonly store: Pick<EventStore, 'readStream'>,
    private readonly payloads: PayloadStore,
  ) {}

  /** @returns a CloudEvent as JSON. @throws Unavailable */
  async of(delivery: DeliveryRow): Promise<string> {
    const { event_id: id, event_type: type, event_time, source_id: subject, traceparent } = delivery;
    const isTest = type === TEST_EVENT;
    const source = `/${API_BASE}/${isTest ? 'webhooks' : 'executions'}`;
    const data = isTest ? { webhook_id: subject } : await this.execution(delivery);
    return JSON.stringify(cloudEventOf({ id, type, time: new Date(event_time), source, subject, traceparent, data }));
  }

  /** As it was after the event. */
  private async execution({ source_id, source_version, include_output }: DeliveryRow) {
    const events = await this.store.readStream(executionStream(source_id), { limit: source_version });
    const row = fold({ evolve: projectExecution }, null as ExecutionRow | null, eventsAs<ExecutionEvent>(events));
    if (row === null) throw new Error(`the log has no execution ${source_id}`);
    if (!include_output) return executionViewOf(row, NO_TEXT);
    return executionViewOf(row, await textOf(row, this.payloads, bytesPerOutput([row], OUTPUT_BYTES_MAX)));
  }
}
