import type { DeliveredEvent } from '../domain/delivered-events.js';

/** CloudEvents 1.0.2, JSON event format, with the distributed tracing extension. */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly traceparent?: string;
  readonly data: unknown;
}

export const CLOUD_EVENT_MEDIA_TYPE = 'application/cloudevents+json';

interface EventFacts {
  readonly id: string;
  readonly type: DeliveredEvent;
  readonly time: Date;
  /** Path of the collection that the subject is in. */
  readonly source: string;
  readonly subject: string;
  readonly traceparent: string | null;
  readonly data: unknown;
}

export const cloudEventOf = ({ id, type, time, source, subject, traceparent, data }: EventFacts): CloudEvent => ({
  specversion: '1.0',
  id,
  source,
  type: `voidrunner.${type}`,
  subject,
  time: time.toISOString(),
  datacontenttype: 'application/json',
  ...(traceparent !== null && { traceparent }),
  data,
});
