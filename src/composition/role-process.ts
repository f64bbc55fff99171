/** A part of the service that runs beside the API, until it is stopped. */
export interface RoleProcess {
  readonly name: string;
  start(): void;
  /** Resolves when everything it started is over. Never throws. */
  stop(): Promise<void>;
}

/** A role made of loops that end with a signal. */
export function loopRole(name: string, ...loops: ((signal: AbortSignal) => Promise<void>)[]): RoleProcess {
  const stopping = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  return {
    name,
    start() {
      running = Promise.all(loops.map((loop) => loop(stopping.signal)));
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
