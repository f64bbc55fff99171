import { type Attributes, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

import { framesOf, sanitizedSpan } from '../../../src/platform/telemetry/sanitized-spans.js';
import { traceparentPropagator } from '../../../src/platform/telemetry/trace-context.js';
import { recordSpans } from '../../support/span-recorder.js';

const SECRET = 'hunter2';

describe('a span that leaves the process', () => {
  const recorded = recordSpans();

  function span(kind: SpanKind, attributes: Attributes, more?: (span: Span) => void) {
    const started = trace.getTracer('test').startSpan('GET /x', { kind, attributes });
    more?.(started);
    started.end();
    return sanitizedSpan(recorded.finished.at(-1)!);
  }

  test('of a request contains its route, method and status, and nothing that the client sent', () => {
    const { attributes } = span(SpanKind.SERVER, {
      'http.request.method': 'GET',
      'http.route': '/api/v1/tasks/:id',
      'http.response.status_code': 200,
      'url.path': `/api/v1/tasks/${SECRET}`,
      'url.query': `token=${SECRET}`,
      'url.full': `http://x/?token=${SECRET}`,
      'http.target': `/?${SECRET}`,
      'http.request.header.idempotency_key': [SECRET],
      'http.request.method_original': SECRET,
      'user_agent.original': SECRET,
      'server.address': SECRET,
      'client.address': SECRET,
      'an attribute of a newer version': SECRET,
    });
    expect(attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': '/api/v1/tasks/:id',
      'http.response.status_code': 200,
    });
  });

  test('of a call contains the callee, without the query', () => {
    const { attributes } = span(SpanKind.CLIENT, {
      'server.address': 'postgres',
      'url.full': `http://docker/containers/create?name=${SECRET}`,
      'db.query.text': `insert into t values ('${SECRET}', $1)`,
      'db.statement': `set key ${SECRET}`,
      'db.postgresql.values': [SECRET],
      'db.connection_string': `postgres://a:${SECRET}@x`,
      'error.type': '23505',
      'voidrunner.position': '7',
    });
    expect(attributes).toEqual({
      'server.address': 'postgres',
      'url.full': 'http://docker/containers/create',
      'db.query.text': 'insert into t values (?, $1)',
      'db.statement': 'set',
      'error.type': '23505',
      'voidrunner.position': '7',
    });
  });

  test('contains an exception’s type and where it was thrown', () => {
    const thrown = new Error(`Key (email)=(${SECRET}) already exists\n    at /${SECRET}:1:1`);
    const { events, status } = span(SpanKind.INTERNAL, {}, (started) => {
      started.recordException(thrown);
      started.addEvent(SECRET, { message: SECRET });
      started.setStatus({ code: SpanStatusCode.ERROR, message: thrown.message });
    });
    expect(JSON.stringify(events)).not.toContain(SECRET);
    expect(events).toHaveLength(1);
    expect(events[0]!.attributes).toMatchObject({ 'exception.type': 'Error' });
    expect(events[0]!.attributes!['exception.stacktrace']).toContain('sanitized-spans.test');
    expect(status).toEqual({ code: SpanStatusCode.ERROR });
  });

  test('keeps the name of an error as its status', () => {
    const { status } = span(SpanKind.INTERNAL, {}, (started) =>
      started.setStatus({ code: SpanStatusCode.ERROR, message: 'VersionConflict' }),
    );
    expect(status).toEqual({ code: SpanStatusCode.ERROR, message: 'VersionConflict' });
  });

  test('keeps the ids, times and resource of the recorded one', () => {
    const kept = span(SpanKind.INTERNAL, {});
    const original: ReadableSpan = recorded.finished.at(-1)!;
    expect(kept.spanContext()).toMatchObject({
      traceId: original.spanContext().traceId,
      spanId: original.spanContext().spanId,
    });
    expect(kept.startTime).toBe(original.startTime);
    expect(kept.resource).toBe(original.resource);
  });
});

test('a stack without its message is not shown', () => {
  expect(framesOf(`Error: ${SECRET}\n    at /a.js:1:1`, 'another message')).toEqual([]);
});

test('a request’s trace is continued, sampled, without its tracestate and baggage', () => {
  const headers: Record<string, string> = {
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: `vendor=${SECRET}`,
    baggage: `key=${SECRET}`,
  };
  const getter = { get: (from: typeof headers, key: string) => from[key], keys: Object.keys };
  const taken = traceparentPropagator.extract(ROOT_CONTEXT, headers, getter);
  const passedOn: Record<string, string> = {};
  traceparentPropagator.inject(taken, passedOn, { set: (to, key, value) => (to[key] = value) });
  expect(passedOn).toEqual({ traceparent: headers['traceparent'] });
  const unsampled = { traceparent: headers['traceparent']!.replace(/01$/, '00') };
  const sampled: Record<string, string> = {};
  const from = traceparentPropagator.extract(ROOT_CONTEXT, unsampled, getter);
  traceparentPropagator.inject(from, sampled, { set: (to, key, value) => (to[key] = value) });
  expect(sampled).toEqual({ traceparent: headers['traceparent'] });
  expect(traceparentPropagator.extract(ROOT_CONTEXT, { traceparent: SECRET }, getter)).toBe(ROOT_CONTEXT);
});
