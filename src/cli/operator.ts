import { userInfo } from 'node:os';

import type { EventMetadata } from '../event-sourcing/core/event.js';
import { newId } from '../kernel/uuid.js';

/** Stands beside what is done at the command line: which login did it. */
export const operatorMetadata = (correlationId: string = newId()): EventMetadata => ({
  actor: `operator:${userInfo().username}`,
  correlation_id: correlationId,
});
