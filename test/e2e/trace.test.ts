import type { TraceSpan } from '../../src/platform/telemetry/trace-tree.js';
import { ApiClient } from '../support/api-client.js';
import { type ChildService, startChildService } from '../support/child-service.js';
import { eventually } from '../support/eventually.js';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.js';
import { prepareTestService, type TestService } from '../support/service.js';

const REQUEST = 'POST /api/v1/tasks/:id/executions';
/** The path of an execution in one process: each span is a descendant of the one before. */
const WAY_TO_THE_CONTAINER = [
  REQUEST,
  'events.append',
  'orchestrator.handle',
  'queue.enqueue',
  'worker.execute',
  'sandbox.run',
];
const WAY_TO_THE_VIEW = ['worker.execute', 'events.append', 'projector.apply'];
const WAY_TO_JETSTREAM = [REQUEST, 'events.append', 'relay.publish'];

let receiver: OtlpReceiver;
let service: TestService;
let child: ChildService;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  service = await prepareTestService({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
  child = await startChildService(service.env);
}, 90_000);

afterAll(async () => {
  await child.end();
  await service.close();
  await receiver.close();
});

test('one trace covers the request, log, queue, container, view and stream', async () => {
  const client = await ApiClient.register(() => child.url!);
  const execution = await client.run({ script_type: 'bash', script_content: 'echo traced' });
  expect(execution.status).toBe('completed');
  expect(execution.trace_id).toMatch(/^[0-9a-f]{32}$/);

  await eventually(
    () => {
      const spans = receiver.spansOf(execution.trace_id!);
      expect(longestPrefixFound(spans, WAY_TO_THE_CONTAINER)).toEqual(WAY_TO_THE_CONTAINER);
      expect(longestPrefixFound(spans, WAY_TO_THE_VIEW)).toEqual(WAY_TO_THE_VIEW);
      expect(longestPrefixFound(spans, WAY_TO_JETSTREAM)).toEqual(WAY_TO_JETSTREAM);
      expect(roots(spans)).toEqual([REQUEST]);
    },
    { timeoutMs: 20_000 },
  );
});

/** The length of the path whose spans are connected, each below the one before. */
function longestPrefixFound(spans: readonly TraceSpan[], way: readonly string[]): string[] {
  const [first, ...rest] = way;
  let reached = spans.filter(({ name }) => name === first);
  if (reached.length === 0) return [];
  const found = [first!];
  for (const name of rest) {
    reached = reached.flatMap((span) => descendants(spans, span)).filter((span) => span.name === name);
    if (reached.length === 0) break;
    found.push(name);
  }
  return found;
}

function descendants(spans: readonly TraceSpan[], parent: TraceSpan): TraceSpan[] {
  const children = spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId);
  return children.flatMap((child_) => [child_, ...descendants(spans, child_)]);
}

function roots(spans: readonly TraceSpan[]): string[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans.filter(({ parentSpanId }) => !parentSpanId || !ids.has(parentSpanId)).map(({ name }) => name);
}
