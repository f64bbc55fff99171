/** More lanes than these are found by the next visit to all lanes. */
const CHANGED_MAX = 1_000;
const REFUSED_MAX = 10_000;
/** Of those that were refused, at a time. */
const REFUSED_AT_A_TIME = 64;

/** While something waits in a lane, all lanes are visited this often: a retry starts at most this long after it is due. */
const ALL_INTERVAL_MS = 1_000;
/** While nothing waits. Each change is announced; this is for one that was not. */
const IDLE_INTERVAL_MS = 30_000;
/** A visit to all lanes is followed by a pause of as many times its duration: thousands of lanes load Postgres little. */
const PAUSE_FACTOR = 4;

/** Which lanes may have a delivery that can be started. */
export class LanesToVisit {
  private readonly changed = new Set<string>();
  /** In the order in which they asked for room: nobody is passed over. */
  private readonly refused = new Set<string>();
  private hasRoom = false;
  private allAt = 0;

  /** Milliseconds until all lanes are to be visited. */
  allInMs(now: number): number {
    return Math.max(0, this.allAt - now);
  }

  /** Something has changed in a lane; null: in any. A retry may wait there now. */
  change(lane: string | null, now: number): void {
    if (lane === null || this.changed.size >= CHANGED_MAX) this.allAt = now;
    else this.changed.add(lane);
    this.waiting(now);
  }

  /** There was no room for a delivery of the lane, because of other lanes. */
  refuse(lane: string): void {
    if (this.refused.size < REFUSED_MAX) this.refused.add(lane);
  }

  /** There is room again. */
  freed(): void {
    this.hasRoom = true;
  }

  /** The lanes that have waited longest, and then those that have changed. Each is returned once. */
  take(): string[][] {
    const waited = this.hasRoom ? [...this.refused].slice(0, REFUSED_AT_A_TIME) : [];
    this.hasRoom = false;
    for (const lane of waited) {
      this.refused.delete(lane);
      this.changed.delete(lane);
    }
    const changed = [...this.changed];
    this.changed.clear();
    return [waited, changed].filter((lanes) => lanes.length > 0);
  }

  /** A visit to all lanes begins. Changes meanwhile lead to the next one in time. */
  visitAll(now: number): void {
    this.allAt = now + IDLE_INTERVAL_MS;
  }

  /** Something waits in a lane. */
  waiting(now: number): void {
    this.allAt = Math.min(this.allAt, now + ALL_INTERVAL_MS);
  }

  /** The visit to all lanes has ended. */
  visitedAll(beganAt: number, now: number): void {
    this.allAt = Math.max(this.allAt, now + PAUSE_FACTOR * (now - beganAt));
  }
}
