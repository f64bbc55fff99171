import type { ExecutionRow } from './execution-projection.js';
import type { OutputExcerpt } from './output-excerpt.js';
import type { TestResultView } from './test-results-view.js';

const iso = (time: string | Date | null): string | null => (time === null ? null : new Date(time).toISOString());

/**
 * An execution as clients see it.
 * @param tests null in lists, if there are none, and if they have been destroyed
 */
export function executionViewOf(
  row: ExecutionRow,
  { stdout, stderr, compile, isExcerpt }: OutputExcerpt,
  tests: readonly TestResultView[] | null = null,
) {
  return {
    id: row.id,
    task_id: row.task_id,
    status: row.status,
    return_code: row.return_code,
    stdout,
    stderr,
    compile: row.compile && {
      return_code: row.compile.return_code,
      ...compile,
      wall_time_ms: row.compile.wall_time_ms,
    },
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
    output_excerpt: isExcerpt,
    notes: row.notes,
    files: row.files.map(({ path, bytes, sha256, media_type }) => ({ path, bytes, sha256, media_type })),
    files_skipped: row.files_skipped,
    test_count: row.test_count,
    verdict: row.verdict,
    score: row.score,
    points: row.points,
    tests,
    cpu_time_ms: row.cpu_time_ms,
    queue_time_ms: row.queue_time_ms,
    rerun_of: row.rerun_of,
    dead_lettered: row.dead_lettered,
    next_attempt_at: iso(row.next_attempt_at),
    trace_id: row.trace_id,
    version: row.version,
  };
}
