import { z } from 'zod';

import { EventCatalog } from '../../../src/event-sourcing/core/event-catalog.js';
import { eventType, unchanged } from '../../../src/event-sourcing/core/event-type.js';
import type { StoredEvent } from '../../../src/event-sourcing/core/stored-event.js';
import {
  deliveryOfMessage,
  deliveryOfStored,
  eventBody,
  eventHeaders,
  eventSubject,
} from '../../../src/event-sourcing/relay/event-message.js';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const raw: StoredEvent = {
  position: 9_007_199_254_740_993n,
  stream: { type: 'task', id: '0b8f7d0e-0000-4000-8000-000000000001' },
  version: 3,
  eventId: '0b8f7d0e-0000-4000-8000-000000000002',
  type: 'TaskUpdated',
  schemaVersion: 2,
  data: '{"name": "ö \\"quoted\\"\\n"}',
  metadata: JSON.stringify({ actor: 'system:test', correlation_id: 'c', traceparent }),
  recordedAt: '2026-01-02T03:04:05.678Z',
};

const upcasters = [unchanged, (data: Record<string, unknown>) => ({ ...data, newest: true })];
const catalog = new EventCatalog([eventType('TaskUpdated', z.looseObject({}), { upcasters })]);

describe('Event messages', () => {
  it('have the same content as stored events, including the position', () => {
    for (const delivery of [deliveryOfMessage(catalog, eventBody(raw), undefined), deliveryOfStored(catalog, raw)]) {
      const { position, stream, version, eventId, type, data, metadata, recordedAt } = delivery.event;
      expect({ position, stream, version, eventId, type, data, metadata, recordedAt }).toEqual({
        position: 9_007_199_254_740_993n,
        stream: raw.stream,
        version: 3,
        eventId: raw.eventId,
        type: 'TaskUpdated',
        data: { name: 'ö "quoted"\n', newest: true },
        metadata: { actor: 'system:test', correlation_id: 'c', traceparent },
        recordedAt: new Date('2026-01-02T03:04:05.678Z'),
      });
      expect(delivery.traceparent).toBe(traceparent);
    }
  });

  it('continue the relay’s span if there is one', () => {
    const relayed = traceparent.replace('b7ad', 'aaaa');
    expect(deliveryOfMessage(catalog, eventBody(raw), relayed).traceparent).toBe(relayed);
    expect(deliveryOfMessage(catalog, eventBody(raw), '').traceparent).toBe(traceparent);
  });

  it('have a subject of stream type, event type and stream', () => {
    expect(eventSubject('VOIDRUNNER', raw)).toBe(`voidrunner.events.task.TaskUpdated.${raw.stream.id}`);
    const headers = eventHeaders('VOIDRUNNER', raw, 4, traceparent);
    expect([...headers.keys()].filter((name) => !name.startsWith('ce-')).sort()).toEqual([
      'traceparent',
      'voidrunner-epoch',
      'voidrunner-position',
      'voidrunner-stream',
      'voidrunner-version',
    ]);
    expect(headers.get('voidrunner-position')).toBe('9007199254740993');
    expect(headers.get('voidrunner-stream')).toBe(`task-${raw.stream.id}`);
  });

  it('are CloudEvents in binary mode, whose data is the body', () => {
    const headers = eventHeaders('VOIDRUNNER', raw, 4, undefined);
    const attributes = [...headers.keys()].filter((name) => name.startsWith('ce-'));
    expect(Object.fromEntries(attributes.map((name) => [name, headers.get(name)]))).toEqual({
      'ce-specversion': '1.0',
      'ce-id': raw.eventId,
      'ce-source': '/voidrunner/events/task',
      'ce-type': 'voidrunner.event.TaskUpdated',
      'ce-subject': raw.stream.id,
      'ce-time': raw.recordedAt,
      'ce-datacontenttype': 'application/json',
    });
    // In structured mode, a content type would say so.
    expect([...headers.keys()].map((name) => name.toLowerCase())).not.toContain('content-type');
  });
});
