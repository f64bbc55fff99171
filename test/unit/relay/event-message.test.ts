import type { RawEvent } from '../../../src/event-sourcing/event-store/raw-event.js';
import {
  eventBody,
  eventHeaders,
  eventSubject,
  receivedFromMessage,
  receivedFromStore,
} from '../../../src/event-sourcing/relay/event-message.js';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const raw: RawEvent = {
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

describe('Event messages', () => {
  it('have the same content as stored events, including the position', () => {
    expect(receivedFromMessage(eventBody(raw), undefined)).toEqual(receivedFromStore(raw));
    expect(receivedFromStore(raw)).toMatchObject({
      position: 9_007_199_254_740_993n,
      data: { name: 'ö "quoted"\n' },
      recordedAt: new Date('2026-01-02T03:04:05.678Z'),
      traceparent,
    });
  });

  it('continue the relay’s span if there is one', () => {
    const relayed = traceparent.replace('b7ad', 'aaaa');
    expect(receivedFromMessage(eventBody(raw), relayed).traceparent).toBe(relayed);
    expect(receivedFromMessage(eventBody(raw), '').traceparent).toBe(traceparent);
  });

  it('have a subject of stream type, event type and stream', () => {
    expect(eventSubject('VOIDRUNNER', raw)).toBe(`voidrunner.events.task.TaskUpdated.${raw.stream.id}`);
    const headers = eventHeaders(raw, 4, traceparent);
    expect([...headers.keys()].sort()).toEqual([
      'traceparent',
      'voidrunner-epoch',
      'voidrunner-position',
      'voidrunner-stream',
      'voidrunner-version',
    ]);
    expect(headers.get('voidrunner-position')).toBe('9007199254740993');
    expect(headers.get('voidrunner-stream')).toBe(`task-${raw.stream.id}`);
  });
});
