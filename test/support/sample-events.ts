import { z } from 'zod';

import { EventCatalog } from '../../src/event-sourcing/core/event-catalog.js';
import type { StreamWrite } from '../../src/event-sourcing/core/event-store.js';
import { eventType } from '../../src/event-sourcing/core/event-type.js';
import type { EventMetadata, NewEvent, StreamRef } from '../../src/event-sourcing/core/event.js';
import type { Json } from '../../src/kernel/json.js';
import { newId } from '../../src/kernel/uuid.js';

/** A type for tests of the log itself, in its second version: `note` was `text` in the first. */
export const Noted = eventType('Noted', z.object({ note: z.json() }), {
  upcasters: [({ text, ...rest }) => ({ ...rest, note: text })],
});

export const sampleCatalog = new EventCatalog([Noted]);

export const sampleMetadata: EventMetadata = { actor: 'system:test', correlation_id: 'a test' };

export const newStream = (): StreamRef => ({ type: 'task', id: newId() });

export const noted = (note: Json, eventId = newId()): NewEvent => ({
  eventId,
  type: 'Noted',
  schemaVersion: 2,
  data: { note },
});

export const write = (stream: StreamRef, expectedVersion: number, ...notes: Json[]): StreamWrite => ({
  stream,
  expectedVersion,
  events: notes.map((note) => noted(note)),
});
