/** Attempts that a process makes at a time. */
const ALL_MAX = 256;
/** Of these, attempts that may take until their time is over: they never take all of them. */
const SLOW_MAX = 64;
/** Of one user. */
const USER_MAX = 16;
const USER_SLOW_MAX = 12;
/** To one webhook, or of all webhooks of single executions of a user. */
const LANE_MAX = 4;
/** To one webhook that has not succeeded since its last failure. */
const FAILING_LANE_MAX = 1;

export interface Attempt {
  readonly id: string;
  readonly lane: string;
  readonly ownerId: string;
  /** Whether its webhook has failed since its last success. */
  readonly isFailing: boolean;
  /** Whether it may take long: a retry, or to a receiver that fails, or that took long the last time. */
  readonly isSlow: boolean;
}

/** `taken`; or which bound it reached: its lane's, its user's, or one that all share. */
export type SlotResult = 'taken' | 'lane' | 'user' | 'shared';

/** Bounds attempts that are under way, so that no receiver and no user delays the others. */
export class DeliverySlots {
  private readonly taken = new Map<string, Attempt>();
  private readonly counts = new Map<string, number>();

  has(id: string): boolean {
    return this.taken.has(id);
  }

  ids(): string[] {
    return [...this.taken.keys()];
  }

  take(attempt: Attempt): SlotResult {
    const reached = boundsOf(attempt).find(({ key, max }) => this.count(key) >= max);
    if (reached) return reached.level;
    this.taken.set(attempt.id, attempt);
    for (const { key } of boundsOf(attempt)) this.counts.set(key, this.count(key) + 1);
    return 'taken';
  }

  /** @returns whether the delivery had a slot */
  free(id: string): boolean {
    const attempt = this.taken.get(id);
    if (!attempt) return false;
    this.taken.delete(id);
    for (const { key } of boundsOf(attempt)) {
      const left = this.count(key) - 1;
      if (left > 0) this.counts.set(key, left);
      else this.counts.delete(key);
    }
    return true;
  }

  private count(key: string): number {
    return this.counts.get(key) ?? 0;
  }
}

interface Bound {
  readonly key: string;
  readonly max: number;
  readonly level: Exclude<SlotResult, 'taken'>;
}

/** The narrowest first: it tells who has to wait. */
const boundsOf = ({ lane, ownerId, isFailing, isSlow }: Attempt): readonly Bound[] => [
  { key: `lane ${lane}`, max: isFailing ? FAILING_LANE_MAX : LANE_MAX, level: 'lane' },
  { key: `user ${ownerId}`, max: USER_MAX, level: 'user' },
  ...(isSlow || isFailing
    ? ([
        { key: `slow of ${ownerId}`, max: USER_SLOW_MAX, level: 'user' },
        { key: 'slow', max: SLOW_MAX, level: 'shared' },
      ] as const)
    : []),
  { key: 'all', max: ALL_MAX, level: 'shared' },
];
