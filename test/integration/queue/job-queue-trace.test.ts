import { randomUUID } from 'node:crypto';

import { SpanKind } from '@opentelemetry/api';

import { silentLog } from '../../../src/platform/telemetry/log.js';
import { currentTraceparent, inSpan, traceIdOf } from '../../../src/platform/telemetry/trace-context.js';
import { RedisJobQueue } from '../../../src/queue/redis-job-queue.js';
import { type TestRedis, testRedis } from '../../support/redis.js';
import { recordSpans } from '../../support/span-recorder.js';

describe('the trace through the job queue', () => {
  const spans = recordSpans();
  let service: TestRedis;
  let queue: RedisJobQueue;

  beforeAll(async () => {
    service = await testRedis();
    const { redis, namespace } = service;
    queue = new RedisJobQueue({ redis, namespace, userConcurrencyMax: 5, ageingIntervalMs: 60_000, log: silentLog });
  });
  afterAll(async () => {
    await queue.close();
    await service.close();
  });

  const job = () => ({ executionId: randomUUID(), attempt: 1, userId: 'ada', priority: 5 });
  const throughTheQueue = async (enqueued: ReturnType<typeof job> & { traceparent?: string }) => {
    await queue.enqueue(enqueued);
    const reserved = await queue.reserve({ workerId: 'w', leaseMs: 60_000, waitMs: 0 });
    await queue.complete(reserved!);
    return reserved!;
  };

  it('continues from the enqueue to the reserve', async () => {
    const reserved = await throughTheQueue(job());
    const [span] = spans.finished;
    expect(span).toMatchObject({ name: 'queue.enqueue', kind: SpanKind.PRODUCER });
    expect(span?.attributes).toMatchObject({ 'voidrunner.execution_id': reserved.executionId });
    const { traceId, spanId } = span!.spanContext();
    expect(reserved.traceparent).toBe(`00-${traceId}-${spanId}-01`);
  });

  it('is the trace of the caller who enqueues', async () => {
    const [reserved, caller] = await inSpan('caller', {}, async () => [
      await throughTheQueue(job()),
      currentTraceparent(),
    ]);
    expect(traceIdOf(reserved.traceparent)).toBe(traceIdOf(caller));
  });

  it('is the trace of the job, if it has one', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect((await throughTheQueue({ ...job(), traceparent })).traceparent).toBe(traceparent);
    const [span] = spans.finished;
    expect(span?.spanContext().traceId).toBe(traceIdOf(traceparent));
  });
});
