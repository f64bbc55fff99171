import { EventCatalog } from '../event-sourcing/core/event-catalog.js';
import { userEvents } from '../identity/domain/user-events.js';
import { batchEvents } from '../tasks/domain/batch-events.js';
import { executionEvents } from '../tasks/domain/execution-events.js';
import { taskEvents } from '../tasks/domain/task-events.js';
import { deliveryEvents } from '../webhooks/domain/delivery-events.js';
import { webhookEvents } from '../webhooks/domain/webhook-events.js';

/** All event types. */
export const createEventCatalog = (): EventCatalog =>
  new EventCatalog(
    Object.values({
      ...{ ...taskEvents, ...executionEvents, ...batchEvents, ...userEvents },
      ...{ ...webhookEvents, ...deliveryEvents },
    }),
  );
