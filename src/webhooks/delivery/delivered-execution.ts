import { fold } from '../../event-sourcing/core/decider.js';
import type { EventStore } from '../../event-sourcing/core/event-store.js';
import { eventsAs } from '../../event-sourcing/core/event.js';
import type { ExecutionEvent } from '../../tasks/domain/execution-events.js';
import { executionStream } from '../../tasks/domain/execution-state.js';
import { type ExecutionRow, projectExecution } from '../../tasks/queries/execution-projection.js';
import type { DeliveryRow } from '../queries/delivery-projection.js';

/** The execution as it was after the event that is delivered. @throws Unavailable */
export async function deliveredExecution(
  store: Pick<EventStore, 'readStream'>,
  { source_id, source_version }: Pick<DeliveryRow, 'source_id' | 'source_version'>,
): Promise<ExecutionRow> {
  const events = await store.readStream(executionStream(source_id), { limit: source_version });
  const row = fold({ evolve: projectExecution }, null as ExecutionRow | null, eventsAs<ExecutionEvent>(events));
  if (row === null) throw new Error(`the log has no execution ${source_id}`);
  return row;
}
