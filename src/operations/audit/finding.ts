/** Faults quoted per check; the others are only counted. */
export const FAULTS_QUOTED_MAX = 20;

/** The result of a check: how much it examined, and the faults it found. */
export interface CheckReport {
  readonly check: string;
  /** Number and kind of things examined, in words: `1,234 events`. */
  readonly examined: string;
  readonly faultCount: number;
  /** The first faults. */
  readonly faults: readonly string[];
}

/** Collects the faults of one check, in bounded memory. */
export class Faults {
  private count = 0;
  private readonly quoted: string[] = [];

  constructor(private readonly check: string) {}

  add(fault: string): void {
    this.count += 1;
    if (this.quoted.length < FAULTS_QUOTED_MAX) this.quoted.push(fault);
  }

  report(examined: string): CheckReport {
    return { check: this.check, examined, faultCount: this.count, faults: this.quoted };
  }
}
