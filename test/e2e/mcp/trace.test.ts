import type { TraceSpan } from '../../../src/platform/telemetry/trace-tree.js';
import { ApiClient } from '../../support/api-client.js';
import { type ChildService, startChildService } from '../../support/child-service.js';
import { eventually } from '../../support/eventually.js';
import { type OtlpReceiver, startOtlpReceiver } from '../../support/otlp-receiver.js';
import { prepareTestService, type TestService } from '../../support/service.js';
import { post } from './support/mcp-hosts.js';

/** The service as it is installed: from its bundle, with telemetry. */
const lines: string[] = [];
let receiver: OtlpReceiver;
let service: TestService;
let child: ChildService;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  service = await prepareTestService({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
  child = await startChildService(service.env, { onLine: (line) => lines.push(line) });
});

afterAll(async () => {
  await child.end();
  await service.close();
  await receiver.close();
});

/** Each span is the parent of the one before. */
const UP_FROM_THE_EVENT = ['events.append', 'POST /api/v1/executions', 'mcp.tool', 'POST /mcp'];
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';

test('one trace goes from the host’s request to the events, and the log has the call without its contents', async () => {
  const ada = await ApiClient.register(() => child.url!);
  const headers = {
    authorization: `Bearer ${ada.accessToken}`,
    traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01`,
    'x-request-id': 'the-request',
  };
  const params = { name: 'run_code', arguments: { language: 'bash', code: 'echo not-in-the-log' } };
  const response = await post(child.url!, { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, headers);
  expect(await response.text()).toContain('not-in-the-log');
  await eventually(() => expect(ways(receiver.spansOf(TRACE_ID))).toContainEqual(UP_FROM_THE_EVENT), {
    timeoutMs: 20_000,
  });
  const calls = lines.filter((line) => line.includes('MCP tool call')).map((line) => JSON.parse(line) as object);
  expect(calls).toEqual([
    expect.objectContaining({
      ...{ msg: 'MCP tool call', tool: 'run_code', outcome: 'ok', request_id: 'the-request', user_id: ada.user.id },
      duration_ms: expect.any(Number),
    }),
  ]);
  expect(lines.some((line) => line.includes('"route":"/mcp"'))).toBe(true);
  expect(lines.join('\n')).not.toContain('not-in-the-log');
});

/** Of each append of events, the named spans above it. */
function ways(spans: readonly TraceSpan[]): string[][] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  return spans
    .filter(({ name }) => name === 'events.append')
    .map((span) => {
      const way: string[] = [];
      for (let at: TraceSpan | undefined = span; at; at = byId.get(at.parentSpanId ?? '')) way.push(at.name);
      return way.filter((name) => UP_FROM_THE_EVENT.includes(name));
    });
}
