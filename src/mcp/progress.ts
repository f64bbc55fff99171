import { PROGRESS_INTERVAL_MS_MIN } from './limits.js';

/** @param progress is larger each time */
export type SendProgress = (progress: number, message: string) => Promise<void>;

/** Tells the caller of a tool how far the execution is. */
export class Progress {
  private count = 0;
  private lastMs = Number.NEGATIVE_INFINITY;

  /** @param send null: the caller did not ask for it */
  constructor(
    private readonly send: SendProgress | null,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  get isWanted(): boolean {
    return this.send !== null;
  }

  /** Changes of the execution's state: there are few. */
  async report(message: string): Promise<void> {
    if (this.send === null) return;
    this.count += 1;
    this.lastMs = this.nowMs();
    await this.send(this.count, message);
  }

  /** What happens often: dropped if the message before it was sent just now. */
  async reportSometimes(message: () => string): Promise<void> {
    if (this.nowMs() - this.lastMs >= PROGRESS_INTERVAL_MS_MIN) await this.report(message());
  }
}
