import { randomUUID } from 'node:crypto';

import { SpanKind } from '@opentelemetry/api';
import { NodeSDK, type NodeSDKConfiguration } from '@opentelemetry/sdk-node';

import { RedisJobQueue } from '../../../src/platform/queue/redis-job-queue.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { currentTraceparent, inSpan, traceIdOf } from '../../../src/platform/telemetry/trace-context.js';
import { type TestRedis, testRedis } from '../../support/redis.js';

type SpanProcessor = NonNullable<NodeSDKConfiguration['spanProcessors']>[number];
type Span = Parameters<SpanProcessor['onEnd']>[0];

describe('the trace through the job queue', () => {
  const finished: Span[] = [];
  const collector: SpanProcessor = {
    onStart: () => undefined,
    onEnd: (span) => void finished.push(span),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const sdk = new NodeSDK({ spanProcessors: [collector], instrumentations: [], autoDetectResources: false });
  let service: TestRedis;
  let queue: RedisJobQueue;

  beforeAll(async () => {
    sdk.start();
    service = await testRedis();
    const { redis, namespace } = service;
    queue = new RedisJobQueue({ redis, namespace, userConcurrencyMax: 5, ageingIntervalMs: 60_000, log: silentLog });
  });
  beforeEach(() => void finished.splice(0));
  afterAll(async () => {
    await queue.close();
    await service.close();
    await sdk.shutdown();
  });

  const job = () => ({ executionId: randomUUID(), attempt: 1, userId: 'ada', priority: 5 });
  const throughTheQueue = async (enqueued: ReturnType<typeof job> & { traceparent?: string }) => {
    await queue.enqueue(enqueued);
    const reserved = await queue.reserve({ workerId: 'w', leaseMs: 60_000, waitMs: 0 });
    await queue.complete(reserved!);
    return reserved!;
  };

  it('leads from the enqueue to whoever reserves', async () => {
    const reserved = await throughTheQueue(job());
    const [span] = finished;
    expect(span).toMatchObject({ name: 'queue.enqueue', kind: SpanKind.PRODUCER });
    expect(span?.attributes).toMatchObject({ 'voidrunner.execution_id': reserved.executionId });
    const { traceId, spanId } = span!.spanContext();
    expect(reserved.traceparent).toBe(`00-${traceId}-${spanId}-01`);
  });

  it('stays in the trace of the one who enqueues', async () => {
    const [reserved, caller] = await inSpan('caller', {}, async () => [
      await throughTheQueue(job()),
      currentTraceparent(),
    ]);
    expect(traceIdOf(reserved.traceparent)).toBe(traceIdOf(caller));
  });

  it('keeps the trace that the job brings', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect((await throughTheQueue({ ...job(), traceparent })).traceparent).toBe(traceparent);
    const [span] = finished;
    expect(span?.spanContext().traceId).toBe(traceIdOf(traceparent));
  });
});
