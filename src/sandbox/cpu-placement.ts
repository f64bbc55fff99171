import { randomInt } from 'node:crypto';

/** The CPUs of one run, until it is released. */
export interface CpuPlace {
  /** The first CPU, counted from 0; the others follow it, wrapping around to CPU 0. */
  readonly first: number;
  release(): void;
}

/**
 * Chooses the CPUs of each run: those with the least CPU time granted to runs of this worker. With a random choice, two
 * runs on two CPUs would share one of them half of the time. Ties are resolved round-robin from a random start, since
 * workers on one host do not know of each other.
 */
export class CpuPlacement {
  private granted: number[] = [];
  private next = randomInt(2 ** 32);

  /** @param cpus the run's limit, may be fractional @param hostCpus CPUs of the host, at least 1 */
  take(cpus: number, hostCpus: number): CpuPlace {
    while (this.granted.length < hostCpus) this.granted.push(0);
    const count = Math.min(Math.ceil(cpus), hostCpus);
    const windowAt = (first: number) => Array.from({ length: count }, (_, offset) => (first + offset) % hostCpus);
    const load = (first: number) => windowAt(first).reduce((sum, cpu) => sum + this.granted[cpu]!, 0);
    const candidates = Array.from({ length: hostCpus }, (_, offset) => (this.next + offset) % hostCpus);
    const first = candidates.reduce((best, candidate) => (load(candidate) < load(best) ? candidate : best));
    this.next = first + count;
    const add = (share: number) => {
      for (const cpu of windowAt(first)) this.granted[cpu]! += share;
    };
    // In thousandths: sums of fractions would not return to exactly 0.
    const share = Math.round((cpus / count) * 1_000);
    add(share);
    return { first, release: () => add(-share) };
  }
}
