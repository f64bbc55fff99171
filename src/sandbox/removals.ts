/** Containers of ended runs that may be on their way out; the next run waits for room, so they cannot pile up. */
export const REMOVALS_MAX = 8;

/** The containers that are being removed, by name, while the end of their run is already being told. */
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

  async room(): Promise<void> {
    while (this.pending.size >= REMOVALS_MAX) await Promise.race(this.pending.values());
  }

  async idle(): Promise<void> {
    while (this.pending.size > 0) await Promise.all(this.pending.values());
  }
}
