import type { PayloadRef } from '../../platform/payloads/payload-store.js';
import type { StoredEventType } from './event-type.js';
import type { DomainEvent } from './event.js';

/** Every event type the process knows, by name. The event store needs it to write and to upcast events. */
export class EventCatalog {
  private readonly types = new Map<string, StoredEventType>();

  constructor(types: Iterable<StoredEventType>) {
    for (const type of types) {
      if (this.types.has(type.type)) throw new Error(`event type ${type.type} is defined twice`);
      this.types.set(type.type, type);
    }
  }

  /**
   * The version that a new event of this type is stored under. Throws for an unknown type and for invalid data: the
   * log is append-only, and every later reader would fail on it.
   */
  schemaVersionOf({ type, data }: DomainEvent): number {
    const found = this.get(type);
    found.upcast(data, found.schemaVersion);
    return found.schemaVersion;
  }

  /** Throws for an unknown type, an unknown version or invalid data: such an event is poison. */
  upcast(type: string, data: unknown, schemaVersion: number): DomainEvent {
    return { type, data: this.get(type).upcast(data, schemaVersion) };
  }

  /** The payloads that an event refers to. Throws for an unknown type. */
  payloadsOf({ type, data }: DomainEvent): readonly PayloadRef[] {
    return this.get(type).payloadsOf(data);
  }

  /** In alphabetical order. */
  get names(): readonly string[] {
    return [...this.types.keys()].sort();
  }

  private get(type: string): StoredEventType {
    const found = this.types.get(type);
    if (!found) throw new Error(`unknown event type ${type}`);
    return found;
  }
}
