import { EventCatalog } from '../event-sourcing/core/event-catalog.js';
import type { StoredEventType } from '../event-sourcing/core/event-type.js';
import type { StreamType } from '../event-sourcing/core/event.js';
import { userEvents } from '../identity/domain/user-events.js';
import { batchEvents } from '../tasks/domain/batch-events.js';
import { executionEvents } from '../tasks/domain/execution-events.js';
import { taskEvents } from '../tasks/domain/task-events.js';
import { deliveryEvents } from '../webhooks/domain/delivery-events.js';
import { webhookEvents } from '../webhooks/domain/webhook-events.js';

/** All event types, by the type of their streams. */
export const EVENTS_BY_STREAM: Readonly<Record<StreamType, readonly StoredEventType[]>> = {
  task: Object.values(taskEvents),
  execution: Object.values(executionEvents),
  batch: Object.values(batchEvents),
  user: Object.values(userEvents),
  webhook: Object.values(webhookEvents),
  delivery: Object.values(deliveryEvents),
};

export const createEventCatalog = (): EventCatalog => new EventCatalog(Object.values(EVENTS_BY_STREAM).flat());
