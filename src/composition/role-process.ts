import { Unavailable } from '../kernel/errors.js';
import { isOutage } from '../platform/postgres/outage.js';
import type { Log } from '../platform/telemetry/log.js';

/** A part of the service that runs beside the API, until it is stopped. */
export interface RoleProcess {
  readonly name: string;
  start(): void;
  /** Resolves when everything it started has ended. Never throws. */
  stop(): Promise<void>;
}

/** One iteration of a loop that survives errors. An outage is reported elsewhere; any other error is logged. */
export async function attempt(log: Log, failed: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Unavailable || isOutage(error))) log.error({ err: error }, failed);
  }
}

/** A role made of loops that end when the signal aborts. */
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
