import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import type { ExecutionEvent } from '../domain/execution-events.js';

/**
 * An event as it is shown to the execution's owner, without the lease token: with the token, a client could act as the
 * worker that holds the attempt. The command line reads the database and shows the token to operators.
 */
export function withoutLeaseToken(event: RecordedEvent<ExecutionEvent>): RecordedEvent {
  if (event.type !== 'ExecutionAttemptStarted') return event;
  const { lease_token: _, ...data } = event.data;
  return { ...event, data };
}
