import type { AttemptEnd } from './attempt-runner.js';

/** Counts the attempts of a worker since it started; part of its heartbeat. */
export class WorkerTally {
  private succeeded = 0;
  private failed = 0;
  private totalMs = 0;

  count(end: AttemptEnd, durationMs: number): void {
    if (end !== 'succeeded' && end !== 'failed') return;
    this[end] += 1;
    this.totalMs += durationMs;
  }

  figures(): { succeeded: number; failed: number; totalMs: number } {
    return { succeeded: this.succeeded, failed: this.failed, totalMs: Math.round(this.totalMs) };
  }
}
