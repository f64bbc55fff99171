import { z } from 'zod';

import { executionOutput, executionResult, headline } from './execution-result.js';
import { partFrom } from './output-part.js';
import { defineTool, type ToolContext } from './tool.js';

/** The patterns that the run's caller named are not known; the result of the run has told of them. */
const NO_PATTERNS = 0;

export const getExecution = defineTool({
  name: 'get_execution',
  description: 'Reads an execution again, or with stream a part of its output.',
  input: z.strictObject({
    execution_id: z.uuid(),
    stream: z.enum(['stdout', 'stderr']).optional(),
    offset: z.int().min(0).describe('Bytes').optional(),
  }),
  output: z.strictObject({ ...executionOutput, next_offset: z.int().optional() }),
  annotations: { readOnlyHint: true },
  async call({ execution_id: id, stream, offset = 0 }, context) {
    if (stream === undefined) {
      return executionResult(await context.vr.executions.get(id, context), context, NO_PATTERNS);
    }
    return outputPart(id, stream, offset, context);
  },
});

async function outputPart(id: string, stream: 'stdout' | 'stderr', offset: number, { vr, signal }: ToolContext) {
  const execution = await vr.executions.get(id, { signal });
  const bytes = await vr.executions.output(id, stream, { signal });
  const { text, end } = partFrom(bytes, offset);
  const isEnd = end === bytes.length;
  const rest = isEnd ? 'This is the end.' : `Next offset: ${end}.`;
  const place = `${stream}, bytes ${Math.min(offset, end)} to ${end} of ${bytes.length}. ${rest}`;
  const structuredContent = {
    execution_id: id,
    status: execution.status,
    ok: execution.status === 'completed',
    [stream]: text,
    ...(!isEnd && { next_offset: end }),
  };
  return {
    content: [{ type: 'text' as const, text: `${headline(execution)}\n${place}\n${text}` }],
    structuredContent,
  };
}
