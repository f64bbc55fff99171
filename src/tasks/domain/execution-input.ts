import { z } from 'zod';

/** An execution's input as its input payload stores it: JSON, binary parts in base64. */
export const executionInput = z.object({
  stdin: z.base64().optional(),
  args: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
  files: z.array(z.object({ path: z.string(), content: z.base64() })).optional(),
  /** Patterns of the files to keep. */
  outputs: z.array(z.string()).optional(),
});
export type ExecutionInput = z.output<typeof executionInput>;

export const encodeExecutionInput = (input: ExecutionInput): Uint8Array => Buffer.from(JSON.stringify(input), 'utf8');

/** @throws Error if encodeExecutionInput did not make the bytes */
export const decodeExecutionInput = (content: Uint8Array): ExecutionInput =>
  executionInput.parse(JSON.parse(Buffer.from(content).toString('utf8')));
