import type { ActiveExecution } from './active-execution.js';

/** About an external execution: nothing was reported in time (unreported), or no end was (expired). */
export type ExternalVerdict = 'fine' | 'unreported' | 'expired';

/** External executions have no lease and no job in the queue. */
export const isExternal = (run: ActiveExecution): boolean =>
  run.executor === 'external' || (run.status === 'running' && run.lease_token === null);

/** @param unreportedMs without any report, after which the execution expires */
export function assessExternal(run: ActiveExecution, unreportedMs: number, now: Date): ExternalVerdict {
  const { status, requested_at, due_at } = run;
  if (status === 'pending') return now.getTime() > timeOf(requested_at) + unreportedMs ? 'unreported' : 'fine';
  return status === 'running' && due_at !== null && now.getTime() > timeOf(due_at) ? 'expired' : 'fine';
}

const timeOf = (time: string | Date): number => new Date(time).getTime();
