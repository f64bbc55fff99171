import type { JsonObject } from '../../kernel/json.js';

/** The stream of one aggregate. People see it as `task-<uuid>`. */
export interface StreamRef {
  readonly type: StreamType;
  /** The aggregate's uuid. */
  readonly id: string;
}

export type StreamType = 'task' | 'execution' | 'batch' | 'user' | 'webhook' | 'delivery';

export const streamName = (stream: StreamRef): string => `${stream.type}-${stream.id}`;

/** Who did it: a person, a part of the system, or an operator at the command line. */
export type Actor = `user:${string}` | `system:${string}` | `operator:${string}`;

/** Stored with every event. `traceparent` is W3C Trace Context. */
export interface EventMetadata {
  readonly actor: Actor;
  readonly correlation_id: string;
  readonly causation_id?: string;
  readonly request_id?: string;
  /** Of the API key with which the actor sent the request. */
  readonly key_id?: string;
  readonly traceparent?: string;
  /** For a request with an Idempotency-Key: the id of the last event of its append. Its effects happen once. */
  readonly command_id?: string;
  /** A digest of the content of that request, made under its key. */
  readonly command_digest?: string;
}

/** An event as a decider creates it: a fact that has no id yet. */
export interface DomainEvent<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/** An event ready to be appended. */
export interface NewEvent {
  /** UUIDv7, or UUIDv5 if it is derived. A repeated append with the same ids changes nothing. */
  readonly eventId: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: JsonObject;
}

/** Where, when and by whom an event was recorded. */
export interface Recorded {
  /** Dense over the whole log, starting at 1, in commit order. */
  readonly position: bigint;
  readonly stream: StreamRef;
  /** Dense within the stream, starting at 1. */
  readonly version: number;
  readonly eventId: string;
  readonly metadata: EventMetadata;
  readonly recordedAt: Date;
}

/** An event in the log, upcast to its newest schema version. A union of events stays a union. */
export type RecordedEvent<Event extends DomainEvent = DomainEvent> = Event extends DomainEvent
  ? Recorded & { readonly type: Event['type']; readonly data: Event['data'] }
  : never;

/** An event on its way to a subscription, over JetStream or from Postgres. */
export interface Delivery {
  readonly event: RecordedEvent;
  /** The relay's span if the event came over JetStream, else the span that appended it. */
  readonly traceparent: string | undefined;
}

/** Narrows the events of a stream: the stream name determines their types, which TypeScript cannot see. */
export const eventsAs = <Event extends DomainEvent>(
  events: readonly RecordedEvent[],
): readonly RecordedEvent<Event>[] => events as unknown as readonly RecordedEvent<Event>[];
