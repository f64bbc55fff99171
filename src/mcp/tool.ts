import type { CallToolResult, ToolAnnotations } from '@modelcontextprotocol/sdk/types.js';
import type { VoidRunner } from '@voidrunner/client';
import { z } from 'zod';

import type { Progress } from './progress.js';

export interface ToolContext {
  readonly vr: VoidRunner;
  /** Aborts when the caller cancels the call or disconnects. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

export interface Tool<Input extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly description: string;
  readonly input: Input;
  /** Of `structuredContent`. */
  readonly output: z.ZodObject;
  readonly annotations?: ToolAnnotations;
  /** @throws what the client throws, or ToolRefusal */
  call(args: z.infer<Input>, context: ToolContext): Promise<CallToolResult>;
}

/** Infers the types of the arguments. */
export const defineTool = <Input extends z.ZodObject>(tool: Tool<Input>): Tool => tool as unknown as Tool;

/** As `tools/list` describes it. */
export const describeTool = ({ name, description, input, output, annotations }: Tool) => ({
  name,
  description,
  inputSchema: jsonSchemaOf(input),
  outputSchema: jsonSchemaOf(output),
  ...(annotations && { annotations }),
});

interface ObjectSchema {
  [name: string]: unknown;
  type: 'object';
}

/** Clients take a schema without `$schema` for the current version. */
function jsonSchemaOf(schema: z.ZodObject): ObjectSchema {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io: 'input', override: withoutNoise });
  return described as ObjectSchema;
}

/** Without what says nothing to a model: the bounds of zod's integers, and its pattern of a UUID. */
function withoutNoise({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.format === 'uuid') delete jsonSchema.pattern;
}
