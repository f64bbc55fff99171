import type { ExecutionEvent } from './execution-events.js';

const TERMINAL: ReadonlySet<ExecutionEvent['type']> = new Set([
  'ExecutionSucceeded',
  'ExecutionFailed',
  'ExecutionTimedOut',
  'ExecutionDeadLettered',
  'ExecutionCancelled',
  'ExecutionReported',
  'ExecutionExpired',
] as const);

const STARTS: ReadonlySet<ExecutionEvent['type']> = new Set(['ExecutionRequested', 'ExecutionRedriven'] as const);
const AFTER_THE_END: ReadonlySet<ExecutionEvent['type']> = new Set(['ExecutionDeadLetterDiscarded'] as const);

/** Whether a run whose newest event is of this type has ended. */
export const standsEnded = (type: ExecutionEvent['type']): boolean => TERMINAL.has(type) || AFTER_THE_END.has(type);

export const isTerminal = (type: ExecutionEvent['type']): boolean => TERMINAL.has(type);

/**
 * What must hold of every log: one terminal event per run since the request or the last redrive, and nothing of the run
 * after it. Remembers only runs that have ended and may be redriven, so its memory is bounded by those and the open ones.
 */
export class LifecycleInvariant {
  private readonly open = new Set<string>();

  /** @returns what is wrong with this event, after those seen before; null for nothing */
  see(executionId: string, type: ExecutionEvent['type']): string | null {
    if (STARTS.has(type)) {
      if (this.open.has(executionId)) return `execution ${executionId} starts again before it has ended`;
      this.open.add(executionId);
      return null;
    }
    if (AFTER_THE_END.has(type)) return null;
    if (!this.open.has(executionId)) return `execution ${executionId} has ${type} after its end`;
    if (isTerminal(type)) this.open.delete(executionId);
    return null;
  }

  /** Runs that have not ended. */
  get openCount(): number {
    return this.open.size;
  }
}
