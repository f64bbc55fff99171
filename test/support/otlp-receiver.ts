import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';

import type { TraceSpan } from '../../src/platform/telemetry/trace-tree.js';

interface ExportRequest {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly TraceSpan[] }[] }[];
}

/** A collector that keeps what it receives: OTLP over HTTP, in JSON. */
export interface OtlpReceiver {
  readonly endpoint: string;
  spansOf(traceId: string): readonly TraceSpan[];
  /** Everything that it received, including headers. */
  readonly received: readonly string[];
  close(): Promise<void>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: TraceSpan[] = [];
  const received: string[] = [];
  const server: Server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push(JSON.stringify(request.headers), body);
      for (const { scopeSpans } of (JSON.parse(body) as ExportRequest).resourceSpans) {
        for (const scope of scopeSpans) spans.push(...scope.spans);
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    received,
    spansOf: (traceId) => spans.filter((span) => span.traceId === traceId),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
