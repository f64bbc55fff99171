import type { RecordedEvent } from '../../event-sourcing/core/event.js';
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

/** Whether an execution whose newest event has this type has ended. */
export const isEndedAfter = (type: ExecutionEvent['type']): boolean => TERMINAL.has(type) || AFTER_THE_END.has(type);

export const isTerminal = (type: ExecutionEvent['type']): boolean => TERMINAL.has(type);

/** Ids of the executions that these events end. */
export const endedExecutions = (events: readonly RecordedEvent[]): readonly string[] =>
  events.filter(({ type }) => isTerminal(type as ExecutionEvent['type'])).map(({ stream }) => stream.id);

/**
 * The invariant of every log: each execution has one terminal event since its request or its last redrive, and no event
 * after it. Remembers only the open executions, so they bound its memory.
 */
export class LifecycleInvariant {
  private readonly open = new Set<string>();

  /** @returns how this event contradicts the events seen before; null if it does not */
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

  /** Executions that have not ended. */
  get openCount(): number {
    return this.open.size;
  }
}
