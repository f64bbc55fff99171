import type { OutputStreamName } from '../sandbox/sandbox.js';

/** One stream of one start of an attempt. */
export interface OutputSource {
  readonly executionId: string;
  readonly attempt: number;
  /** Tells two starts of one attempt apart: an attempt that was handed back starts again under its number. */
  readonly startId: string;
  readonly stream: OutputStreamName;
}

export interface OutputChunk {
  /** Of its first byte in what is kept of the stream. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Bytes of one chunk at most. */
export const OUTPUT_CHUNK_BYTES_MAX = 64 * 1024;

/**
 * What runs print, while they run, from the worker to whoever follows. A convenience: the output is recorded at the end
 * of the attempt, and whatever is lost here is read there.
 */
export abstract class LiveOutput {
  /** For how long a chunk is kept for those who come later. */
  abstract readonly keptMs: number;

  /** May be repeated. @throws Unavailable */
  abstract publish(source: OutputSource, chunk: OutputChunk): Promise<void>;

  /**
   * What is kept of a source, and then what comes, until the signal aborts. A chunk may be missing, and may come twice:
   * its offset tells. A reader that is slow is waited for.
   * @throws Unavailable
   */
  abstract read(source: OutputSource, signal: AbortSignal): AsyncIterable<OutputChunk>;

  /** Called when chunks that were published may be lost, and can be published again. @returns how to stop listening */
  abstract onLoss(listener: () => void): () => void;
}
