import type { EventStore } from '../../event-sourcing/core/event-store.js';
import { eventsAs, type RecordedEvent } from '../../event-sourcing/core/event.js';
import { retryOutage } from '../../platform/async/retry-outage.js';
import type { ExecutionEvent } from '../domain/execution-events.js';
import { executionStream } from '../domain/execution-state.js';

/** Waits until an outage of Postgres is over. @param signal ends the wait, with an error */
export async function executionEventsAfter(
  store: EventStore,
  executionId: string,
  afterVersion: number,
  signal: AbortSignal,
): Promise<readonly RecordedEvent<ExecutionEvent>[]> {
  const read = () => store.readStream(executionStream(executionId), { afterVersion });
  return eventsAs<ExecutionEvent>(await retryOutage(read, signal));
}
