import { type PayloadStore } from '../../kernel/ports/payload-store.js';
import type { OutputRef } from '../domain/execution-events.js';
import type { ExecutionRow } from './execution-projection.js';
import { outputText } from './output-text.js';

const iso = (time: string | Date | null): string | null => (time === null ? null : new Date(time).toISOString());

/** The bytes a run wrote, as kept; empty where it wrote nothing, null where they have been destroyed. */
export async function outputOf(output: OutputRef | null, payloads: PayloadStore): Promise<Uint8Array | null> {
  if (output === null || output.payload === null) return new Uint8Array();
  return payloads.get(output.payload);
}

/** Text for JSON; null before there is any. */
async function textOf(output: OutputRef | null, payloads: PayloadStore): Promise<string | null> {
  if (output === null) return null;
  const content = await outputOf(output, payloads);
  return content === null ? null : outputText(content, output);
}

/** An execution as clients see it. Lists leave the output out: it is what makes them slow and large. */
export async function executionViewOf(row: ExecutionRow, payloads: PayloadStore, withOutput: boolean) {
  const [stdout, stderr] = withOutput
    ? await Promise.all([textOf(row.stdout, payloads), textOf(row.stderr, payloads)])
    : [null, null];
  return {
    id: row.id,
    task_id: row.task_id,
    status: row.status,
    return_code: row.return_code,
    stdout,
    stderr,
    execution_time_ms: row.execution_time_ms,
    memory_usage_bytes: row.memory_usage_bytes,
    started_at: iso(row.started_at),
    completed_at: iso(row.completed_at),
    created_at: iso(row.created_at),
    attempt: row.attempt,
    termination_reason: row.termination_reason,
    signal: row.signal,
    stdout_bytes: row.stdout?.bytes_total ?? 0,
    stderr_bytes: row.stderr?.bytes_total ?? 0,
    stdout_truncated: row.stdout?.truncated ?? false,
    stderr_truncated: row.stderr?.truncated ?? false,
    notes: row.notes,
    cpu_time_ms: row.cpu_time_ms,
    queue_time_ms: row.queue_time_ms,
    dead_lettered: row.dead_lettered,
    next_attempt_at: iso(row.next_attempt_at),
    trace_id: row.trace_id,
    version: row.version,
  };
}
