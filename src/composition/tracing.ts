import fastifyOtel from '@fastify/otel';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { PinoInstrumentation } from '@opentelemetry/instrumentation-pino';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace';

import type { Config } from '../config/load-config.js';
import { SanitizingExporter } from '../platform/telemetry/sanitized-spans.js';
import { traceparentPropagator } from '../platform/telemetry/trace-context.js';
import { TraceFileExporter } from '../platform/telemetry/trace-file-exporter.js';

/** Spans wait at most this long for their batch. It is short because a person may be waiting for the trace. */
const BATCH_DELAY_MS = 1_000;
const BATCH_SPANS_MAX = 512;
const QUEUE_SPANS_MAX = 8_192;
const UNTRACED_PATHS = /^\/(api\/v1\/)?(health|ready|ping)\b/;

/** Patches http, pg, ioredis and pino, which must not be loaded yet, and sends spans to the configured destinations. */
export function startTracing(config: Config): NodeSDK {
  const batch = {
    scheduledDelayMillis: BATCH_DELAY_MS,
    maxExportBatchSize: BATCH_SPANS_MAX,
    maxQueueSize: QUEUE_SPANS_MAX,
  };
  const sdk = new NodeSDK({
    serviceName: config.OTEL_SERVICE_NAME,
    spanProcessors: exportersOf(config).map(
      (exporter) => new BatchSpanProcessor({ exporter: new SanitizingExporter(exporter), ...batch }),
    ),
    textMapPropagator: traceparentPropagator,
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [
      new HttpInstrumentation({
        ignoreIncomingRequestHook: ({ url = '' }) => UNTRACED_PATHS.test(url),
        requireParentforOutgoingSpans: true,
      }),
      // No spans for taking a connection from the pool: if that is slow, the query's span shows it.
      new PgInstrumentation({ requireParentSpan: true, ignoreConnectSpans: true }),
      // Only the command's name: its arguments are ids at best.
      new IORedisInstrumentation({ requireParentSpan: true, dbStatementSerializer: (command) => command }),
      new PinoInstrumentation({ disableLogSending: true }),
      // Names the request's span by its route. A span for every hook would hide the useful spans.
      new fastifyOtel.FastifyOtelInstrumentation({ registerOnInitialization: true, instrumentHooks: false }),
    ],
  });
  sdk.start();
  return sdk;
}

const exportersOf = ({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_FILE: file }: Config): SpanExporter[] => [
  ...(endpoint ? [new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` })] : []),
  ...(file ? [new TraceFileExporter(file)] : []),
];
