import type { OutputStreamName } from '../sandbox/sandbox.js';

/** One output stream of one start of an attempt. */
export interface OutputSource {
  readonly executionId: string;
  readonly attempt: number;
  /** Distinguishes two starts of one attempt: a released attempt starts again under the same number. */
  readonly startId: string;
  /** `tests`: a line of JSON for each test that was run. */
  readonly stream: OutputStreamName | 'tests';
}

export interface OutputChunk {
  /** Position of its first byte in the kept output of the stream. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Maximum size of one chunk. */
export const OUTPUT_CHUNK_BYTES_MAX = 64 * 1024;

/**
 * Carries the output of runs, while they run, from the worker to followers. Best effort: the output is stored at the
 * end of the attempt, and followers read lost chunks from there.
 */
export abstract class LiveOutput {
  /** How long a chunk is kept for later readers. */
  abstract readonly keptMs: number;

  /** May be repeated. @throws Unavailable */
  abstract publish(source: OutputSource, chunk: OutputChunk): Promise<void>;

  /**
   * Yields the kept chunks of a source, then new ones, until the signal aborts. A chunk may be missing or arrive twice:
   * its offset shows that. A slow reader misses nothing because of its speed.
   * @throws Unavailable
   */
  abstract read(source: OutputSource, signal: AbortSignal): AsyncIterable<OutputChunk>;

  /** Deletes the kept chunks of all attempts of an execution. May be repeated. @throws Unavailable */
  abstract forget(executionId: string): Promise<void>;

  /** Calls the listener when published chunks may be lost and can be published again. @returns a function to stop */
  abstract onLoss(listener: () => void): () => void;
}
