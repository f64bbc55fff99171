import { type AttributeValue, type Attributes, SpanKind, type SpanStatus } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

import { withoutLiterals } from './sql-literals.js';

type TimedEvent = ReadableSpan['events'][number];

/**
 * Attributes that may leave this process. All others are left out: instrumentations record what a client sent (paths,
 * query strings, user agents, addresses that a header claims) and the values in a statement, and a newer version may
 * record more.
 */
const ATTRIBUTES: ReadonlyMap<string, (value: AttributeValue, span: ReadableSpan) => AttributeValue> = new Map([
  ...[
    'db.system',
    'db.system.name',
    'db.name',
    'db.namespace',
    'db.operation.name',
    'db.postgresql.plan',
    'http.method',
    'http.request.method',
    'http.response.status_code',
    'http.route',
    'http.status_code',
    'messaging.destination.name',
    'messaging.operation.type',
    'messaging.system',
    'network.peer.port',
    'network.protocol.name',
    'network.protocol.version',
    'network.transport',
    'url.scheme',
  ].map((name) => [name, (value: AttributeValue) => value] as const),
  ['db.query.text', sanitizedStatement] as const,
  // From ioredis: the name of the command; the instrumentation is configured to leave out its arguments.
  ['db.statement', (value) => commandName(value)] as const,
  ['error.type', nameOrCode] as const,
  // The servers that we call. On a server span they are claims of the client: Host, X-Forwarded-Host, Forwarded.
  ...['server.address', 'server.port', 'network.peer.address', 'net.peer.name', 'net.peer.port'].map(
    (name) => [name, (value: AttributeValue, span: ReadableSpan) => (isServer(span) ? undefined : value)] as const,
  ),
  ['url.full', (value, span) => (isServer(span) ? undefined : withoutQuery(value))] as const,
]);
/** Our own: ids, types and counts. */
const OWN_ATTRIBUTE = /^voidrunner\./;

/** The lines of an exception stack that name places in the code. */
const STACK_FRAME = /^ {4}at (?:[\w$.<>#[\] ]+ \()?(?:node:|file:\/\/|\/)[^\n]*:\d+:\d+\)?$/;
const STACK_FRAMES_MAX = 30;
/** A status, a SQLSTATE, an errno, or the name of an error. */
const CODE_OR_NAME = /^\w{1,64}$/;
const IDENTIFIER = /^[A-Za-z_][\w.]{0,63}$/;

/**
 * The second safeguard for traces: no value of a user leaves this process in a span, whatever an instrumentation has
 * recorded. The first is that statements have parameters and errors are recorded without their values.
 */
export class SanitizingExporter implements SpanExporter {
  constructor(private readonly exporter: SpanExporter) {}

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.exporter.export(spans.map(sanitizedSpan), done);
  }

  forceFlush(): Promise<void> {
    return this.exporter.forceFlush?.() ?? Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }
}

export function sanitizedSpan(span: ReadableSpan): ReadableSpan {
  // A client's `tracestate` would be exported unchanged.
  const { traceState: _, ...spanContext } = span.spanContext();
  const { traceState: __, ...parentSpanContext } = span.parentSpanContext ?? { traceState: undefined };
  return {
    name: span.name,
    kind: span.kind,
    spanContext: () => spanContext,
    ...(span.parentSpanContext && { parentSpanContext: parentSpanContext as typeof span.parentSpanContext }),
    startTime: span.startTime,
    endTime: span.endTime,
    duration: span.duration,
    ended: span.ended,
    status: sanitizedStatus(span.status),
    attributes: sanitizedAttributes(span),
    links: span.links.map(({ context: { traceState: ___, ...context } }) => ({ context })),
    events: span.events.flatMap(sanitizedEvent),
    resource: span.resource,
    instrumentationScope: span.instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}

function sanitizedAttributes(span: ReadableSpan): Attributes {
  const kept: Attributes = {};
  for (const [name, value] of Object.entries(span.attributes)) {
    if (value === undefined) continue;
    const sanitized = OWN_ATTRIBUTE.test(name) ? value : ATTRIBUTES.get(name)?.(value, span);
    if (sanitized !== undefined) kept[name] = sanitized;
  }
  return kept;
}

/** Error messages quote values: `invalid input syntax for type uuid: "…"`. Our messages are names of errors. */
const sanitizedStatus = ({ code, message }: SpanStatus): SpanStatus =>
  message !== undefined && IDENTIFIER.test(message) ? { code, message } : { code };

/** Keeps the type of an exception and where it was thrown; no other events are known here. */
function sanitizedEvent({ name, time, attributes = {} }: TimedEvent): TimedEvent[] {
  if (name !== 'exception') return [];
  const type = nameOrCode(attributes['exception.type'] ?? '');
  const stack = attributes['exception.stacktrace'];
  const frames = typeof stack === 'string' ? framesOf(stack, attributes['exception.message']) : [];
  return [
    {
      name,
      time,
      attributes: {
        ...(type !== undefined && { 'exception.type': type }),
        ...(frames.length > 0 && { 'exception.stacktrace': frames.join('\n') }),
      },
    },
  ];
}

/** The part after the message, because a message may have lines that look like frames. */
export function framesOf(stack: string, message: unknown): string[] {
  const text = typeof message === 'string' ? message : '';
  const at = stack.indexOf(text);
  if (at < 0) return [];
  return stack
    .slice(at + text.length)
    .split('\n')
    .filter((line) => STACK_FRAME.test(line))
    .slice(0, STACK_FRAMES_MAX);
}

function sanitizedStatement(value: AttributeValue): string | undefined {
  return typeof value === 'string' ? withoutLiterals(value) : undefined;
}

function commandName(value: AttributeValue): string | undefined {
  const [name = ''] = String(value).split(' ', 1);
  return IDENTIFIER.test(name) ? name : undefined;
}

function nameOrCode(value: AttributeValue): string | undefined {
  return CODE_OR_NAME.test(String(value)) ? String(value) : undefined;
}

function withoutQuery(value: AttributeValue): string | undefined {
  return String(value).split(/[?#]/, 1)[0];
}

const isServer = ({ kind }: ReadableSpan): boolean => kind === SpanKind.SERVER;
