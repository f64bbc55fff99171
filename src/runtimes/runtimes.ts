import type { Runtime } from './runtime.js';

/** The declared runtimes, by name and alias. */
export class Runtimes {
  private readonly byName: ReadonlyMap<string, Runtime>;

  /** @param all with distinct names and aliases (load-runtimes.ts), ordered by name */
  constructor(readonly all: readonly Runtime[]) {
    this.byName = new Map(all.flatMap((runtime) => [runtime.name, ...runtime.aliases].map((name) => [name, runtime])));
  }

  get names(): string[] {
    return this.all.map(({ name }) => name);
  }

  /** @param name also an alias */
  find(name: string): Runtime | undefined {
    return this.byName.get(name);
  }

  /** For a name that was recorded: an alias may have been the name of another runtime then. */
  named(name: string): Runtime | undefined {
    const runtime = this.byName.get(name);
    return runtime?.name === name ? runtime : undefined;
  }
}
