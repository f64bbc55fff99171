import { currentTraceparent, inSpan } from '../../../src/platform/telemetry/trace-context.js';

const ASKED_FOR = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('a span without tracing', () => {
  it('does not affect its work, whose result it returns', async () => {
    const result = await inSpan('work', {}, async (span) => ({
      recording: span.isRecording(),
      of: currentTraceparent(),
    }));
    expect(result).toEqual({ recording: false, of: undefined });
  });

  it('passes on the caller’s trace', async () => {
    const traceId = await inSpan('work', { traceparent: ASKED_FOR }, async (span) => span.spanContext().traceId);
    expect(traceId).toBe('0af7651916cd43dd8448eb211c80319c');
  });

  it.each([
    ['nobody', undefined],
    ['somebody', ASKED_FOR],
  ])('rejects whatever its work throws, called by %s', async (_who, traceparent) => {
    const thrown = new Error('at once');
    const work = inSpan('work', { traceparent }, () => {
      throw thrown;
    });
    await expect(work).rejects.toBe(thrown);
  });
});
