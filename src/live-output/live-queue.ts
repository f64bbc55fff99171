import { waitForCall } from '../platform/async/wait-for-call.js';
import { OUTPUT_CHUNK_BYTES_MAX, type OutputChunk } from './live-output.js';

/** Limits of the chunks that wait for a slow reader. */
const CHUNKS_MAX = 64;
const BYTES_MAX = 16 * OUTPUT_CHUNK_BYTES_MAX;

/**
 * Buffers published chunks for one reader. If the reader is too slow, the queue drops them and reports the loss: the
 * reader can read them again from the stream at its own pace.
 */
export class LiveQueue {
  private chunks: OutputChunk[] = [];
  private bytes = 0;
  private lost = false;
  private wake: (() => void) | null = null;

  push(chunk: OutputChunk): void {
    if (this.lost) return;
    this.chunks.push(chunk);
    this.bytes += chunk.bytes.length;
    if (this.chunks.length > CHUNKS_MAX || this.bytes > BYTES_MAX) this.markLost();
    this.wake?.();
  }

  /** Chunks may have been missed. */
  markLost(): void {
    this.chunks = [];
    this.bytes = 0;
    this.lost = true;
    this.wake?.();
  }

  /** From now on no chunk is lost, until `take` returns null. */
  restart(): void {
    this.lost = false;
  }

  /** Takes all queued chunks; waits if there are none. @returns null after a loss; an empty list once aborted */
  async take(signal: AbortSignal): Promise<readonly OutputChunk[] | null> {
    if (this.chunks.length === 0 && !this.lost) {
      const subscribe = (wake: () => void) => {
        this.wake = wake;
        return () => (this.wake = null);
      };
      await waitForCall(subscribe, { signal });
    }
    if (this.lost) return null;
    const taken = this.chunks;
    this.chunks = [];
    this.bytes = 0;
    return taken;
  }
}
