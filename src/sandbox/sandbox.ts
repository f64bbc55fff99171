import type { ByteLog } from '../platform/memory/byte-log.js';
import type { RuntimeOffer } from '../runtimes/runtime-offer.js';
import type { Runtime } from '../runtimes/runtime.js';
import type { InteractiveInput } from './interactive-input.js';

export type OutputStreamName = 'stdout' | 'stderr';

export interface SandboxLimits {
  readonly memory_mb: number;
  readonly cpus: number;
  readonly pids: number;
  /** CPU time of all processes of the program together. Absent or null: as much as fits into the timeout. */
  readonly cpu_time_seconds?: number | null | undefined;
  /** Kept of each stream. Absent or null, or above the sandbox's own limit: that one. */
  readonly output_bytes?: number | null | undefined;
}

export interface SandboxInput {
  readonly stdin?: Uint8Array;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: readonly { readonly path: string; readonly content: Uint8Array }[];
  /** Patterns of files to keep (docs/sandbox.md), relative to the working folder. */
  readonly outputs?: readonly string[];
}

export interface SandboxJob {
  /** Execution id and attempt identify the run in logs and traces. */
  readonly executionId: string;
  readonly attempt: number;
  /** A cell never runs jobs of two users. */
  readonly userId: string;
  readonly runtime: Runtime;
  /** Digest of the image that it must run in; null: the runtime's image as it is now. */
  readonly imageDigest: string | null;
  readonly script: Uint8Array;
  readonly input: SandboxInput;
  readonly limits: SandboxLimits;
  readonly timeoutMs: number;
}

/** One of several runs of a program. */
export interface ProgramRun {
  readonly stdin?: Uint8Array | undefined;
  readonly args?: readonly string[] | undefined;
  /** Beside the script and the files of the job's input, at other paths. */
  readonly files?: SandboxInput['files'] | undefined;
  readonly limits: SandboxLimits;
  readonly timeoutMs: number;
}

export interface CapturedOutput {
  /** All output, or its head and tail if it exceeded the limit. */
  readonly content: Uint8Array;
  /** Bytes that the program wrote, whether kept or not. */
  readonly bytesTotal: number;
  readonly truncated: boolean;
  /** Offset in `content` at which bytes are missing. Absent if none are missing, or the offset is unknown. */
  readonly headBytes?: number;
}

/** A file that the program left. */
export interface CollectedFile {
  /** Relative to the working folder, UTF-8 without control characters. */
  readonly path: string;
  readonly content: Uint8Array;
}

export const SKIP_REASONS = [
  'too_large',
  'not_a_regular_file',
  'unreadable',
  'too_deep',
  'path_too_long',
  'invalid_name',
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/** A file that matches a pattern and was not kept, or a folder that was not entered. */
export interface SkippedFile {
  /** What JSON cannot represent is replaced by U+FFFD; `path_too_long`: the beginning. */
  readonly path: string;
  readonly reason: SkipReason;
}

/** How a compiler ended. */
export interface CompilerEnd {
  /** 128 + signal if a signal killed it; null if it was ended at its timeout. */
  readonly returnCode: number | null;
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
  readonly wallTimeMs: number;
}

/** `compile`: the compiler rejected the program, was killed, or timed out; the program never ran. */
export type TerminationReason =
  'exit_code' | 'signal' | 'out_of_memory' | 'timeout' | 'cpu_time' | 'compile' | 'cancelled';

/** How a run of user code ended. Failures before user code started are thrown as SandboxFailure instead. */
export interface SandboxOutcome {
  readonly reason: TerminationReason;
  /** 128 + signal if a signal killed the program; null for timeout and cancelled without an exit, and if it never ran. */
  readonly returnCode: number | null;
  readonly signal: string | null;
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
  readonly startedAt: Date;
  /** Digest of the image that it ran in; null if nothing ran. */
  readonly imageDigest: string | null;
  /** 0 for a program that never ran. */
  readonly wallTimeMs: number;
  readonly cpuTimeMs: number | null;
  /** docs/sandbox.md defines what counts. */
  readonly memoryPeakBytes: number | null;
  /** Processes that the kernel killed because memory ran out: also if the program itself went on. */
  readonly oomKills: number;
  /** Limits that were reached, as texts. */
  readonly notes: readonly string[];
  /** In the order of their paths. Empty for a cancelled run. */
  readonly files: readonly CollectedFile[];
  readonly skippedFiles: readonly SkippedFile[];
  /** False if files may be missing: collecting them was cut short. */
  readonly hasAllFiles: boolean;
  /** How the program was compiled, possibly for an earlier run; null for a runtime without a compiler. */
  readonly compile: CompilerEnd | null;
}

/** The known part of the outcome of a program whose end was not observed. */
export interface PartialOutcome {
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
  readonly wallTimeMs: number;
}

/** Of an outcome without a program that could have left anything. */
export const LEFT_NOTHING = { notes: [], files: [], skippedFiles: [], hasAllFiles: true } as const;

/**
 * The run failed for a reason outside the program.
 * `countsAsAttempt: false` (no image, engine down, container did not start): the attempt may be released uncounted.
 */
export class SandboxFailure extends Error {
  /** Null if no program is known to have run. */
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

export interface RunOptions {
  /** Aborting it kills every process of the run; the outcome's reason is then `cancelled`. */
  readonly signal: AbortSignal;
  /** Receives the kept output: the head as it is written, the tail at the end. */
  readonly onOutput?: OnOutput;
  /** Comes after the job's own standard input, which is not over before this. */
  readonly interactive?: InteractiveInput | undefined;
}

/** A program that is compiled, if it has to be, and can be run as often as wanted. */
export interface PreparedProgram {
  /** Null for a runtime without a compiler. */
  readonly compile: CompilerEnd | null;

  /**
   * A run in fresh namespaces, with a working folder of its own, until all its processes have ended.
   * @throws SandboxFailure
   */
  run(run: ProgramRun, options: RunOptions): Promise<SandboxOutcome>;
}

/** `ended`: the compiler rejected the program, or the preparation was cancelled. */
export type Preparation =
  | { readonly kind: 'ready'; readonly program: PreparedProgram }
  | { readonly kind: 'ended'; readonly outcome: SandboxOutcome };

export interface SandboxHealth {
  readonly healthy: boolean;
  /** The reason if unhealthy; otherwise the versions of engine and runtime. */
  readonly detail: string;
}

/** Current numbers of containers. */
export interface CellFigures {
  /** Available to the next run of any user. */
  readonly ready: number;
  /** Available to the next run of their user only. */
  readonly resting: number;
  readonly busy: number;
  /** Being started for the ready pool. */
  readonly refilling: number;
  /** Runs that had to wait for a new container, since the start. */
  readonly coldStarts: number;
}

export interface SandboxFigures extends CellFigures {
  /** Runs that found their program compiled, and runs that compiled one, since the start. */
  readonly programsFound: number;
  readonly programsMissed: number;
}

/** `chunk` is valid only during the call; `kept` remains valid and grows until the run ends. */
export type OnOutput = (stream: OutputStreamName, chunk: Uint8Array, kept: ByteLog) => void;

/** Runs user code. */
export abstract class Sandbox {
  /** Prepares for the first run, in the background; runs work without it. */
  abstract start(): void;

  /**
   * Runs one job until all its processes have ended. Its container may still be in removal.
   * @throws SandboxFailure
   */
  abstract run(job: SandboxJob, options: RunOptions): Promise<SandboxOutcome>;

  /**
   * Prepares a program for several runs, in the same cell if it can be.
   * @param job its standard input, arguments and patterns of files are not used; its files are for every run
   * @throws SandboxFailure
   */
  abstract prepare(job: SandboxJob, options: Pick<RunOptions, 'signal'>): Promise<Preparation>;

  abstract get figures(): SandboxFigures;

  /** In the order of their names. Cheap enough to call every few seconds. @throws Unavailable */
  abstract offers(): Promise<readonly RuntimeOffer[]>;

  /** Cheap enough to call every second. */
  abstract health(): Promise<SandboxHealth>;

  /** Removes containers of dead workers of this namespace. @returns the number removed */
  abstract sweep(isAlive: (workerId: string) => boolean): Promise<number>;

  /** Ends every run and removes every container of this worker. */
  abstract close(): Promise<void>;
}
