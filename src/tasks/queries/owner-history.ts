import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import type { ExecutionEvent } from '../domain/execution-events.js';

/**
 * An event as the owner of the run is told of it. Whoever has the lease token passes for the worker that holds the
 * attempt, so it stays inside; the command line, which reads the database, shows it to operators.
 */
export function asOwnerReads(event: RecordedEvent<ExecutionEvent>): RecordedEvent {
  if (event.type !== 'ExecutionAttemptStarted') return event;
  const { lease_token: _, ...data } = event.data;
  return { ...event, data };
}
