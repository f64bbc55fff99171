import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { type Execution, hasEnded, type OutputStream } from '@voidrunner/client';
import { z } from 'zod';

import { uriOf } from './file-uri.js';
import { LINKS_MAX, OUTPUT_BYTES_MAX } from './limits.js';
import { headAndTail, shortened } from './output-part.js';
import { contentOfFiles, notesForCaller } from './result-files.js';
import type { ToolContext } from './tool.js';

/** What a tool says about an execution. */
export const executionOutput = {
  execution_id: z.string(),
  status: z.string(),
  ok: z.boolean(),
  reason: z.string().optional(),
  return_code: z.int().optional(),
  duration_ms: z.number().optional(),
  stdout: z.string().optional(),
  stderr: z.string().optional(),
  files: z.array(z.strictObject({ path: z.string(), bytes: z.int(), uri: z.string() })).optional(),
  notes: z.array(z.string()).optional(),
};
export type ExecutionOutput = z.infer<z.ZodObject<typeof executionOutput>>;

/** Status, end, both outputs, files, and notes. @param patterns that the caller named */
export async function executionResult(
  execution: Execution,
  context: Pick<ToolContext, 'vr' | 'signal'>,
  patterns: number,
): Promise<CallToolResult> {
  const { id, status, return_code, execution_time_ms, files } = execution;
  const reason = reasonOf(execution);
  const outputs = await outputsOf(execution, context);
  const notes = [...notesForCaller(execution.notes, patterns), ...skippedFiles(execution)];
  const structuredContent: ExecutionOutput = {
    execution_id: id,
    status,
    ok: status === 'completed',
    ...(reason !== null && { reason }),
    ...(return_code !== null && { return_code }),
    ...(execution_time_ms !== null && { duration_ms: execution_time_ms }),
    ...outputs,
    ...(files.length > 0 && { files: files.slice(0, LINKS_MAX).map((file) => listed(id, file)) }),
    ...(notes.length > 0 && { notes }),
  };
  const text = [headline(execution), ...outputTexts(outputs), ...notes.map((note) => `Note: ${note}`)].join('\n');
  return { content: [{ type: 'text', text }, ...(await contentOfFiles(execution, context))], structuredContent };
}

const listed = (id: string, { path, bytes }: Execution['files'][number]) => ({ path, bytes, uri: uriOf(id, path) });

const skippedFiles = ({ files_skipped }: Execution): string[] =>
  files_skipped.map(({ path, reason }) => `${path} was not kept: ${reason}`);

type Outputs = Partial<Record<OutputStream, string>>;

/** For a program that does not compile, what the compiler says. */
async function outputsOf(execution: Execution, context: Pick<ToolContext, 'vr' | 'signal'>): Promise<Outputs> {
  const { termination_reason, compile } = execution;
  if (termination_reason === 'compile') {
    const { stdout, stderr } = compile ?? {};
    return { stdout: shortened(stdout ?? '', OUTPUT_BYTES_MAX), stderr: shortened(stderr ?? '', OUTPUT_BYTES_MAX) };
  }
  if (!hasEnded(execution)) return {};
  return { stdout: await shown(execution, 'stdout', context), stderr: await shown(execution, 'stderr', context) };
}

/** The text of the API where it is all, else the stored bytes: offsets count these. */
async function shown(
  execution: Execution,
  stream: OutputStream,
  { vr, signal }: Pick<ToolContext, 'vr' | 'signal'>,
): Promise<string> {
  const text = execution[stream] ?? '';
  if (!execution.output_excerpt && Buffer.byteLength(text) <= OUTPUT_BYTES_MAX) return text;
  return headAndTail(await vr.executions.output(execution.id, stream, { signal }), execution.id, stream);
}

const outputTexts = ({ stdout = '', stderr = '' }: Outputs): string[] => [
  ...(stdout === '' ? [] : [`stdout:\n${stdout}`]),
  ...(stderr === '' ? [] : [`stderr:\n${stderr}`]),
];

/** A program that returned 0 needs none. */
const reasonOf = ({ status, termination_reason }: Execution) => (status === 'completed' ? null : termination_reason);

export function headline(execution: Execution): string {
  const { id, status, return_code, execution_time_ms, signal } = execution;
  const reason = reasonOf(execution);
  const facts = [
    ...(return_code === null ? [] : [`return code ${return_code}`]),
    ...(signal === null ? [] : [`signal ${signal}`]),
    ...(reason === null ? [] : [`reason: ${reason}`]),
    ...(execution_time_ms === null ? [] : [`${execution_time_ms} ms`]),
    `execution ${id}`,
  ];
  return `${status} (${facts.join(', ')})`;
}
