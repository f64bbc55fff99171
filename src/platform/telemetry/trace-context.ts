import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapPropagator,
  trace,
  TraceFlags,
} from '@opentelemetry/api';

/** Asked for per span: a tracer that is kept stays with the provider that was registered first. */
export const tracer = () => trace.getTracer('voidrunner');

/** W3C Trace Context, section 3.2: version 00. */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The active span as a traceparent, to be stored with an event or a job; undefined outside any span. */
export const currentTraceparent = (): string | undefined => traceparentOf(context.active());

function traceparentOf(of: Context): string | undefined {
  const spanContext = trace.getSpanContext(of);
  if (!spanContext || !isSpanContextValid(spanContext)) return undefined;
  const flags = (spanContext.traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0');
  return `00-${spanContext.traceId}-${spanContext.spanId}-${flags}`;
}

/** The trace id a traceparent names, or undefined for none or a malformed one. */
export const traceIdOf = (traceparent: string | undefined): string | undefined =>
  traceparent === undefined ? undefined : TRACEPARENT.exec(traceparent)?.[1];

/** A context whose parent is the span that a traceparent names; the active context for none or a malformed one. */
export function contextOf(traceparent: string | undefined, within: Context = context.active()): Context {
  const parts = traceparent === undefined ? null : TRACEPARENT.exec(traceparent);
  if (!parts) return within;
  const [, traceId, spanId, flags] = parts as unknown as [string, string, string, string];
  return trace.setSpanContext(within, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED,
    isRemote: true,
  });
}

const TRACEPARENT_HEADER = 'traceparent';
const FLAGS = /[0-9a-f]{2}$/;
const SAMPLED_FLAGS = '01';

/**
 * Continues a trace from an HTTP request, and passes it on. The trace is always sampled, whatever its flag says: the
 * flag is read before the caller is known, and a caller that may not even log in could suppress the spans of its
 * requests. `tracestate` and `baggage` are dropped: they hold whatever a client put there, and would reach spans and
 * the container engine.
 */
export const traceparentPropagator: TextMapPropagator = {
  inject(from, carrier, setter) {
    const traceparent = traceparentOf(from);
    if (traceparent !== undefined) setter.set(carrier, TRACEPARENT_HEADER, traceparent);
  },
  extract(into, carrier, getter) {
    const found = getter.get(carrier, TRACEPARENT_HEADER);
    return typeof found === 'string' ? contextOf(found.replace(FLAGS, SAMPLED_FLAGS), into) : into;
  },
  fields: () => [TRACEPARENT_HEADER],
};

export interface SpanOptions {
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  /** The span to continue, from another process or an earlier time; default: the active span. */
  readonly traceparent?: string | undefined;
}

/** Runs `work` in its own span, which ends with it and records its error. */
export function inSpan<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T> {
  const { kind = SpanKind.INTERNAL, attributes = {}, traceparent } = options;
  const parent = contextOf(traceparent);
  const span = tracer().startSpan(name, { kind, attributes }, parent);
  // Tracing is off, here and upstream. Running in a context that says so costs a twelfth of the time Node takes for an
  // append.
  if (!isSpanContextValid(span.spanContext())) return begin(work, span);
  return context.with(trace.setSpan(parent, span), async () => {
    try {
      return await work(span);
    } catch (error) {
      span.recordException(error as Error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).name });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Runs `work` without spans of its own, for what is done too often to be traced each time. */
export function withoutSpans<T>(work: () => Promise<T>): Promise<T> {
  const current = trace.getSpanContext(context.active());
  if (!current) return work();
  return context.with(trace.setSpanContext(context.active(), { ...current, traceFlags: TraceFlags.NONE }), work);
}

/** A synchronous throw becomes a rejection, as in a span. */
function begin<T>(work: (span: Span) => Promise<T>, span: Span): Promise<T> {
  try {
    return work(span);
  } catch (error) {
    return Promise.reject(error as Error);
  }
}
