/** An answered request. */
export interface RequestObservation {
  readonly method: string;
  /** The route's pattern; undefined where none matched. */
  readonly route: string | undefined;
  readonly status: number;
  readonly durationMs: number;
}

/** A run in a sandbox that has ended. */
export interface RunObservation {
  readonly scriptType: string;
  /** The reason of its end; `infrastructure`: the sandbox failed, not the program. */
  readonly outcome: string;
  readonly durationMs: number;
}

/** What happens in this process, for metrics to count. Nobody listens where they are not served. */
export class Observations {
  onRequest: (request: RequestObservation) => void = () => undefined;
  onRun: (run: RunObservation) => void = () => undefined;
  /** How long a job waited in the queue until a worker started it, apart from delays that were asked for. */
  onQueueWait: (waitedMs: number) => void = () => undefined;
}
