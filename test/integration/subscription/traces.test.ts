import { newId } from '../../../src/kernel/uuid.js';
import { eventually } from '../../support/eventually.js';
import { connectedLink, deleteStreams, uniquePrefix } from '../../support/nats.js';
import { recordSpans } from '../../support/span-recorder.js';
import { ToyPipeline } from '../../support/toy-pipeline.js';

const recorded = recordSpans();

it('the trace of an append continues over the relay to the projection', async () => {
  const prefix = uniquePrefix();
  const nats = await connectedLink();
  const pipeline = await ToyPipeline.create(nats, prefix);
  try {
    const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    pipeline.start((signal) => pipeline.relay().run(signal));
    // Not from Postgres: an event read there has only its own trace context.
    const events = {
      head: () => pipeline.log.head(),
      readAllStored: () => Promise.resolve([]),
      readStreamStored: () => Promise.resolve([]),
    };
    pipeline.start((signal) => pipeline.projector({ spanName: 'projector.apply', events }).run(signal));
    const position = await pipeline.log.record(newId(), 'ToyAdded', [{ amount: 1 }], `00-${traceId}-${spanId}-01`);
    await pipeline.projected(position);

    const span = (name: string) => recorded.finished.find((each) => each.name === name);
    const published = await eventually(() => span('relay.publish') ?? Promise.reject(new Error('no span yet')));
    const applied = await eventually(() => span('projector.apply') ?? Promise.reject(new Error('no span yet')));
    expect(published.spanContext().traceId).toBe(traceId);
    expect(published.parentSpanContext?.spanId).toBe(spanId);
    expect(applied.spanContext().traceId).toBe(traceId);
    expect(applied.parentSpanContext?.spanId).toBe(published.spanContext().spanId);
  } finally {
    await pipeline.close();
    await deleteStreams(prefix);
    await nats.close();
  }
});
