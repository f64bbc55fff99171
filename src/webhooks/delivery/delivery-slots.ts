/** Attempts that a process makes at a time. */
const ALL_MAX = 256;
/** Of these, attempts after a failure, which may hang until their time is over: they never take all of them. */
const RETRIES_MAX = 64;
/** Of one user. */
const USER_MAX = 16;
/** To one webhook, or of all webhooks of single executions of a user. */
const LANE_MAX = 4;
/** To one webhook that has not succeeded since its last failure. */
const FAILING_LANE_MAX = 1;

export interface Attempt {
  readonly id: string;
  readonly lane: string;
  readonly ownerId: string;
  readonly isRetry: boolean;
  /** Whether the webhook has failed since its last success. */
  readonly isFailing: boolean;
}

/** Bounds attempts that are under way, so that no receiver and no user delays the others. */
export class DeliverySlots {
  private readonly taken = new Map<string, Attempt>();
  private readonly counts = new Map<string, number>();

  get used(): number {
    return this.taken.size;
  }

  has(id: string): boolean {
    return this.taken.has(id);
  }

  ids(): string[] {
    return [...this.taken.keys()];
  }

  /** @returns false if a bound is reached */
  take(attempt: Attempt): boolean {
    const isSlow = attempt.isRetry || attempt.isFailing;
    const laneMax = attempt.isFailing ? FAILING_LANE_MAX : LANE_MAX;
    const isFree =
      this.taken.size < ALL_MAX &&
      !(isSlow && this.count(RETRIES) >= RETRIES_MAX) &&
      this.count(userKey(attempt)) < USER_MAX &&
      this.count(laneKey(attempt)) < laneMax;
    if (!isFree) return false;
    this.taken.set(attempt.id, attempt);
    for (const key of keysOf(attempt)) this.counts.set(key, this.count(key) + 1);
    return true;
  }

  free(id: string): void {
    const attempt = this.taken.get(id);
    if (!attempt) return;
    this.taken.delete(id);
    for (const key of keysOf(attempt)) {
      const left = this.count(key) - 1;
      if (left > 0) this.counts.set(key, left);
      else this.counts.delete(key);
    }
  }

  private count(key: string): number {
    return this.counts.get(key) ?? 0;
  }
}

const RETRIES = 'retries';
const userKey = ({ ownerId }: Attempt): string => `user ${ownerId}`;
const laneKey = ({ lane }: Attempt): string => `lane ${lane}`;
const keysOf = (attempt: Attempt): string[] => [
  userKey(attempt),
  laneKey(attempt),
  ...(attempt.isRetry || attempt.isFailing ? [RETRIES] : []),
];
