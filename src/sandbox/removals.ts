/** Concurrent removals of containers: above this number new cells wait, so removals cannot pile up. */
export const REMOVALS_MAX = 8;

/** The containers that are being removed, by name. The end of their runs is reported meanwhile. */
export class Removals {
  private readonly pending = new Map<string, Promise<void>>();

  /** @param removal never rejects */
  add(name: string, removal: Promise<void>): void {
    this.pending.set(name, removal);
    void removal.then(() => this.pending.delete(name));
  }

  has(name: string): boolean {
    return this.pending.has(name);
  }

  async untilBelowMax(): Promise<void> {
    while (this.pending.size >= REMOVALS_MAX) await Promise.race(this.pending.values());
  }

  async idle(): Promise<void> {
    while (this.pending.size > 0) await Promise.all(this.pending.values());
  }
}
