import { executionEvents } from '../execution/domain/execution-events.js';
import { userEvents } from '../identity/domain/user-events.js';
import { EventCatalog } from '../kernel/event-catalog.js';
import { taskEvents } from '../task/domain/task-events.js';

/** Every event type there is. */
export const createEventCatalog = (): EventCatalog =>
  new EventCatalog([...Object.values(taskEvents), ...Object.values(executionEvents), ...Object.values(userEvents)]);
