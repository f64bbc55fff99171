import type { ByteLog } from '../platform/memory/byte-log.js';

export type OutputStreamName = 'stdout' | 'stderr';

export type ScriptType = 'python' | 'javascript' | 'typescript' | 'bash' | 'go';

export interface SandboxLimits {
  readonly memory_mb: number;
  readonly cpus: number;
  readonly pids: number;
}

export interface SandboxInput {
  readonly stdin?: Uint8Array;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: readonly { readonly path: string; readonly content: Uint8Array }[];
}

export interface SandboxJob {
  /** Names the run in labels and logs: execution id and attempt. */
  readonly executionId: string;
  readonly attempt: number;
  /** A cell never serves two users. */
  readonly userId: string;
  readonly scriptType: ScriptType;
  readonly script: Uint8Array;
  readonly input: SandboxInput;
  readonly limits: SandboxLimits;
  readonly timeoutMs: number;
}

export interface CapturedOutput {
  /** Head and tail where it was over the cap. */
  readonly content: Uint8Array;
  /** What the program wrote, whether kept or not. */
  readonly bytesTotal: number;
  readonly truncated: boolean;
  /** Where bytes are missing in `content`: after so many of it. Absent where none are, or nobody knows. */
  readonly headBytes?: number;
}

/** `compile`: the compiler refused the program, was killed, or took longer than its time; the program never ran. */
export type TerminationReason = 'exit_code' | 'signal' | 'out_of_memory' | 'timeout' | 'compile' | 'cancelled';

/** How a run of user code ended. Failures before user code started are thrown as SandboxFailure instead. */
export interface SandboxOutcome {
  readonly reason: TerminationReason;
  /** 128 + signal for a program that a signal killed; null for timeout and cancelled without an exit. */
  readonly returnCode: number | null;
  readonly signal: string | null;
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
  readonly startedAt: Date;
  /** Of the program, or of the compiler where it made none. */
  readonly wallTimeMs: number;
  readonly cpuTimeMs: number | null;
  /** docs/sandbox.md says what counts. */
  readonly memoryPeakBytes: number | null;
  /** Limits that were reached, in words. */
  readonly notes: readonly string[];
}

/** What is left of a program whose end nobody saw. */
export interface PartialOutcome {
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
  readonly wallTimeMs: number;
}

/**
 * The run failed for a reason that is not the program's.
 * `countsAsAttempt: false` (no image, engine away, container refused to start): the attempt may be handed back uncounted.
 */
export class SandboxFailure extends Error {
  /** Null where no program is known to have run. */
  readonly partial: PartialOutcome | null;

  constructor(
    message: string,
    readonly countsAsAttempt: boolean,
    options: { cause?: unknown; partial?: PartialOutcome | null } = {},
  ) {
    super(message, options);
    this.name = 'SandboxFailure';
    this.partial = options.partial ?? null;
  }
}

export interface SandboxHealth {
  readonly healthy: boolean;
  /** Why not, or the engine's and runtime's versions. */
  readonly detail: string;
}

/** Containers, counted at this moment. */
export interface SandboxFigures {
  /** Kept for anybody's next run. */
  readonly ready: number;
  /** Kept for their user's next run. */
  readonly resting: number;
  readonly busy: number;
  /** On their way to those that are ready. */
  readonly refilling: number;
  /** Since the start: runs that had to wait for a container. */
  readonly coldStarts: number;
}

/** `chunk` is good for the call alone; `kept` stays, and grows until the run has ended. */
export type OnOutput = (stream: OutputStreamName, chunk: Uint8Array, kept: ByteLog) => void;

/** Where user code runs. */
export abstract class Sandbox {
  /** Prepares for the first run, in the background; runs do not depend on it. */
  abstract start(): void;

  /**
   * Runs one job to its end: no process of it lives any more. Its container may still be on its way out.
   * @param job.signal aborting it kills every process of the run; the outcome's reason is then `cancelled`
   * @param onOutput what is kept: the head as it is written, the tail at the end; each chunk, and all of it so far
   * @throws SandboxFailure
   */
  abstract run(job: SandboxJob, options: { signal: AbortSignal; onOutput?: OnOutput }): Promise<SandboxOutcome>;

  abstract get figures(): SandboxFigures;

  /** Cheap enough to ask every second. */
  abstract health(): Promise<SandboxHealth>;

  /** Removes containers of workers of this namespace that are no longer alive. @returns how many */
  abstract sweep(isAlive: (workerId: string) => boolean): Promise<number>;

  /** Ends every run and removes every container of this worker. */
  abstract close(): Promise<void>;
}
