import { type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

import { contextOf } from '../../platform/telemetry/trace-context.js';
import { SPAN_AGE_MS_MAX } from '../relay/event-publisher.js';
import type { DeliveredEvent } from './subscription-handler.js';

const tracer = trace.getTracer('voidrunner');

/** A batch belongs to many traces: each event gets a span in its own trace, all of the same length. */
export async function withEventSpans<T>(
  name: string | undefined,
  events: readonly DeliveredEvent[],
  work: () => Promise<T>,
): Promise<T> {
  const spans = name === undefined ? [] : startSpans(name, events);
  try {
    return await work();
  } catch (error) {
    for (const span of spans) span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).name });
    throw error;
  } finally {
    for (const span of spans) span.end();
  }
}

function startSpans(name: string, events: readonly DeliveredEvent[]): Span[] {
  const oldest = Date.now() - SPAN_AGE_MS_MAX;
  return events
    .filter((event) => event.traceparent !== undefined && event.recordedAt.getTime() >= oldest)
    .map((event) => {
      const attributes = { 'voidrunner.event': event.type, 'voidrunner.position': event.position.toString() };
      return tracer.startSpan(name, { kind: SpanKind.CONSUMER, attributes }, contextOf(event.traceparent));
    });
}
