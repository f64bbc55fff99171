import type { EventCatalog } from '../../event-sourcing/core/event-catalog.js';
import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { PoisonEvent, type StoredEvent, upcastEvent } from '../../event-sourcing/core/stored-event.js';

/** Null for an event that this process cannot read. Only one check reports it: the other skips it. */
export function readableEvent(
  catalog: EventCatalog,
  stored: StoredEvent,
  onPoison?: (poison: PoisonEvent) => void,
): RecordedEvent | null {
  try {
    return upcastEvent(catalog, stored);
  } catch (error) {
    if (!(error instanceof PoisonEvent)) throw error;
    onPoison?.(error);
    return null;
  }
}
