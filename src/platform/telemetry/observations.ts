/** A completed request. */
export interface RequestObservation {
  readonly method: string;
  /** The route's pattern; undefined if none matched. */
  readonly route: string | undefined;
  readonly status: number;
  readonly durationMs: number;
}

/** A completed run in a sandbox. */
export interface RunObservation {
  readonly scriptType: string;
  /** The reason for its end; `infrastructure`: the sandbox failed, not the program. */
  readonly outcome: string;
  readonly durationMs: number;
}

/** The files that a run has left and that were stored. */
export interface FilesObservation {
  readonly files: number;
  readonly bytes: number;
}

/** Events of this process that metrics count. The callbacks do nothing if metrics are not served. */
export class Observations {
  onRequest: (request: RequestObservation) => void = () => undefined;
  onRun: (run: RunObservation) => void = () => undefined;
  /** How long a job waited in the queue until a worker started it, without requested delays. */
  onQueueWait: (waitedMs: number) => void = () => undefined;
  onFiles: (stored: FilesObservation) => void = () => undefined;
  /** An item of a batch, when its turn came. */
  onBatchItem: (outcome: 'started' | 'refused') => void = () => undefined;
  /** A test of a suite was run and judged. */
  onTest: (verdict: string) => void = () => undefined;
  /** An attempt at a delivery to a webhook. */
  onWebhookAttempt: (outcome: 'delivered' | 'failed', durationMs: number) => void = () => undefined;
  /** Bytes of interactive input were accepted. */
  onStdin: (bytes: number) => void = () => undefined;
  /** Whether this process refuses to seal the log, which contradicts what was signed. */
  sealingRefused = false;
}
