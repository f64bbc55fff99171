import { type Execution, PermissionError, RateLimitError, type RunResult, type StreamItem } from '@voidrunner/client';

import { CANCEL_MS_MAX } from './limits.js';
import type { ToolContext } from './tool.js';

/** The call broke off, and the execution did not: it can be read later. */
export class RunInterrupted extends Error {
  constructor(
    readonly executionId: string,
    cause: unknown,
  ) {
    super('the call ended before the execution', { cause });
    this.name = 'RunInterrupted';
  }
}

/**
 * Starts an execution and waits for its end, with progress if the caller asked for it. An abort cancels the execution.
 * @param start is not aborted: an execution whose id is not known could not be cancelled
 * @throws RunInterrupted if the service fails after the start
 */
export async function runToEnd(start: () => Promise<Execution>, context: ToolContext): Promise<RunResult> {
  const { vr, signal, progress } = context;
  signal.throwIfAborted();
  const { id } = await start();
  try {
    signal.throwIfAborted();
    await progress.report(`queued: execution ${id}`);
    if (progress.isWanted) await follow(id, context);
    const result = await vr.wait(id, { signal });
    await progress.report(`ended: ${result.status}`);
    return result;
  } catch (error) {
    if (!signal.aborted) throw new RunInterrupted(id, error);
    await vr.executions.cancel(id, { signal: AbortSignal.timeout(CANCEL_MS_MAX) });
    throw error;
  }
}

/** Progress needs what a key may lack, or what a busy user has no place for: the run goes on without it. */
async function follow(id: string, context: ToolContext): Promise<void> {
  const all = ['event', 'test', 'stdout', 'stderr'] as const;
  try {
    await reportItems(id, all, context);
  } catch (error) {
    if (!(error instanceof PermissionError || error instanceof RateLimitError)) throw error;
  }
}

async function reportItems(id: string, types: readonly StreamItem['type'][], context: ToolContext): Promise<void> {
  const { vr, signal, progress } = context;
  const seen = { lines: 0, bytes: 0, tests: 0 };
  for await (const item of vr.stream(id, { types, signal })) {
    if (item.type === 'event') {
      if (item.event.type === 'ExecutionAttemptStarted') await progress.report('started');
    } else if (item.type === 'test') {
      seen.tests += 1;
      await progress.reportSometimes(() => `tests finished: ${seen.tests}`);
    } else {
      seen.bytes += item.data.length;
      seen.lines += item.text.split('\n').length - 1;
      await progress.reportSometimes(() => `output: ${seen.lines} lines, ${seen.bytes} bytes`);
    }
  }
}
