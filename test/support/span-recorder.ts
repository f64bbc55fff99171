import { context, propagation, trace } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';

/** Records the ended spans of each test of a `describe`. */
export function recordSpans(): { readonly finished: readonly ReadableSpan[] } {
  const exporter = new InMemorySpanExporter();
  const sdk = new NodeSDK({
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [],
    autoDetectResources: false,
  });

  beforeAll(() => sdk.start());
  beforeEach(() => exporter.reset());
  afterAll(async () => {
    await sdk.shutdown();
    for (const api of [trace, context, propagation]) api.disable();
  });

  return {
    get finished() {
      return exporter.getFinishedSpans();
    },
  };
}
