import { SpanStatusCode } from '@opentelemetry/api';

import { PostgresEventStore } from '../../../src/event-sourcing/event-store/postgres-event-store.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { currentTraceparent, inSpan, traceIdOf } from '../../../src/platform/telemetry/trace-context.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { newStream, sampleCatalog, sampleMetadata, write } from '../../support/sample-events.js';
import { recordSpans } from '../../support/span-recorder.js';

describe('the trace of an append', () => {
  const spans = recordSpans();
  let database: TestDatabase;
  let store: PostgresEventStore;

  beforeAll(async () => {
    database = await createTestDatabase();
    const { app: postgres, appPool: pool } = database;
    store = new PostgresEventStore({ postgres, pool, catalog: sampleCatalog, log: silentLog });
  });
  afterAll(async () => {
    await store.close();
    await database.drop();
  });

  const traceparentOf = async (stream: ReturnType<typeof newStream>) =>
    (await store.readStream(stream))[0]!.metadata.traceparent;

  it('continues in the event, also if appends of many traces share a batch', async () => {
    const callers = await Promise.all(
      Array.from({ length: 10 }, () =>
        inSpan('caller', {}, async () => {
          const stream = newStream();
          await store.append([write(stream, 0, 'a', 'b')], sampleMetadata);
          return { stream, caller: currentTraceparent() };
        }),
      ),
    );

    for (const { stream, caller } of callers) {
      const traceparent = await traceparentOf(stream);
      const span = spans.finished.find(({ name, attributes }) => {
        const streams = attributes['voidrunner.streams'] as string[] | undefined;
        return name === 'events.append' && streams?.includes(`task-${stream.id}`);
      });
      expect(traceIdOf(traceparent)).toBe(traceIdOf(caller));
      expect(traceparent).toContain(span!.spanContext().spanId);
      expect(span!.attributes).toMatchObject({ 'voidrunner.events': ['Noted', 'Noted'] });
      expect(span!.attributes['voidrunner.position']).toMatch(/^\d+$/);
    }
  });

  it('is the one in the metadata, if there is one', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const stream = newStream();
    await store.append([write(stream, 0, 'a')], { ...sampleMetadata, traceparent });

    expect(await traceparentOf(stream)).toBe(traceparent);
  });

  it('shows a refused append', async () => {
    await expect(store.append([write(newStream(), 3, 'a')], sampleMetadata)).rejects.toThrow();

    expect(spans.finished.at(-1)).toMatchObject({ name: 'events.append', status: { code: SpanStatusCode.ERROR } });
  });
});
