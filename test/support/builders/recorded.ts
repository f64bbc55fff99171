import type { DomainEvent, EventMetadata, RecordedEvent, StreamRef } from '../../../src/event-sourcing/core/event.js';
import { deterministicId } from '../../../src/kernel/uuid.js';
import { NOW } from './executions.js';
import { metadata } from './people.js';
import { EXECUTION_ID, TASK_ID } from './tasks.js';

export const EXECUTION_STREAM: StreamRef = { type: 'execution', id: EXECUTION_ID };
export const TASK_STREAM: StreamRef = { type: 'task', id: TASK_ID };

export const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
export const TRACEPARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;

/** The n-th event of a stream is recorded n seconds after NOW. */
export const recordedAtOf = (version: number): string => new Date(NOW.getTime() + version * 1_000).toISOString();

/** A stream's events as the log returns them. */
export function recorded<Event extends DomainEvent>(
  stream: StreamRef,
  events: readonly Event[],
  changes: Partial<EventMetadata> = {},
): RecordedEvent<Event>[] {
  return events.map(({ type, data }, index) => ({
    position: BigInt(index + 1),
    stream,
    version: index + 1,
    eventId: deterministicId('recorded', stream.id, index + 1),
    type,
    data,
    metadata: { ...metadata, ...changes },
    recordedAt: new Date(recordedAtOf(index + 1)),
  })) as unknown as RecordedEvent<Event>[];
}
