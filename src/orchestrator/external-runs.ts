import type { ActiveExecution } from './active-execution.js';

/** Of a run done elsewhere: nothing reported in time, or no end. */
export type ExternalVerdict = 'fine' | 'unreported' | 'expired';

/** Nobody holds a lease for it, and no job is in the queue. */
export const isExternal = (run: ActiveExecution): boolean =>
  run.executor === 'external' || (run.status === 'running' && run.lease_token === null);

/** @param unreportedMs after which a run of which nothing is reported is given up */
export function assessExternal(run: ActiveExecution, unreportedMs: number, now: Date): ExternalVerdict {
  const { status, requested_at, due_at } = run;
  if (status === 'pending') return now.getTime() > timeOf(requested_at) + unreportedMs ? 'unreported' : 'fine';
  return status === 'running' && due_at !== null && now.getTime() > timeOf(due_at) ? 'expired' : 'fine';
}

const timeOf = (time: string | Date): number => new Date(time).getTime();
