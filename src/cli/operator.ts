import { userInfo } from 'node:os';

import type { EventMetadata } from '../event-sourcing/core/event.js';
import { newId } from '../kernel/uuid.js';

/** Metadata of events from the command line: the operator's login is the actor. */
export const operatorMetadata = (correlationId: string = newId()): EventMetadata => ({
  actor: `operator:${userInfo().username}`,
  correlation_id: correlationId,
});
