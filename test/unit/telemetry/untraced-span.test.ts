import { currentTraceparent, inSpan } from '../../../src/platform/telemetry/trace-context.js';

const ASKED_FOR = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('a span where nobody traces', () => {
  it('is none to its work, whose result it is', async () => {
    const result = await inSpan('work', {}, async (span) => ({
      recording: span.isRecording(),
      of: currentTraceparent(),
    }));
    expect(result).toEqual({ recording: false, of: undefined });
  });

  it('hands on the trace of who asked', async () => {
    const traceId = await inSpan('work', { traceparent: ASKED_FOR }, async (span) => span.spanContext().traceId);
    expect(traceId).toBe('0af7651916cd43dd8448eb211c80319c');
  });

  it.each([
    ['nobody', undefined],
    ['somebody', ASKED_FOR],
  ])('rejects whatever its work throws, asked by %s', async (_who, traceparent) => {
    const thrown = new Error('at once');
    const work = inSpan('work', { traceparent }, () => {
      throw thrown;
    });
    await expect(work).rejects.toBe(thrown);
  });
});
