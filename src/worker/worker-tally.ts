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

  figures(): { successful: number; failed: number; total_ms: number } {
    return { successful: this.succeeded, failed: this.failed, total_ms: Math.round(this.totalMs) };
  }
}
