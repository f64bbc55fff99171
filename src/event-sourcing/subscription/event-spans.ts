import { type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';

import { contextOf, tracer } from '../../platform/telemetry/trace-context.js';
import type { Delivery } from '../core/event.js';
import { SPAN_AGE_MS_MAX } from '../relay/event-publisher.js';

/** A batch belongs to many traces: each event gets a span in its own trace, all of the same length. */
export async function withEventSpans<T>(
  name: string | undefined,
  deliveries: readonly Delivery[],
  work: () => Promise<T>,
): Promise<T> {
  const spans = name === undefined ? [] : startSpans(name, deliveries);
  try {
    return await work();
  } catch (error) {
    for (const span of spans) span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).name });
    throw error;
  } finally {
    for (const span of spans) span.end();
  }
}

function startSpans(name: string, deliveries: readonly Delivery[]): Span[] {
  const oldest = Date.now() - SPAN_AGE_MS_MAX;
  return deliveries
    .filter(({ event, traceparent }) => traceparent !== undefined && event.recordedAt.getTime() >= oldest)
    .map(({ event, traceparent }) => {
      const attributes = { 'voidrunner.event': event.type, 'voidrunner.position': event.position.toString() };
      return tracer().startSpan(name, { kind: SpanKind.CONSUMER, attributes }, contextOf(traceparent));
    });
}
