import { OUTPUT_CHUNK_BYTES_MAX, type OutputChunk } from './live-output.js';

/** Waiting for a reader, who may be slow. */
const CHUNKS_MAX = 64;
const BYTES_MAX = 16 * OUTPUT_CHUNK_BYTES_MAX;

/**
 * Chunks as they are published, for one reader. One who is slow loses them and is told so: they are in the stream as
 * well, from where they can be read again at the reader's own pace.
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
    if (this.chunks.length > CHUNKS_MAX || this.bytes > BYTES_MAX) this.lose();
    this.wake?.();
  }

  /** Something may have been missed. */
  lose(): void {
    this.chunks = [];
    this.bytes = 0;
    this.lost = true;
    this.wake?.();
  }

  /** From here on nothing is lost, until `take` says so. */
  restart(): void {
    this.lost = false;
  }

  /** Everything that waits, and waits where nothing does. Null once something was lost. Empty once aborted. */
  async take(signal: AbortSignal): Promise<readonly OutputChunk[] | null> {
    if (this.chunks.length === 0 && !this.lost && !signal.aborted) await this.news(signal);
    if (this.lost) return null;
    const taken = this.chunks;
    this.chunks = [];
    this.bytes = 0;
    return taken;
  }

  private async news(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    this.wake = wake;
    signal.addEventListener('abort', wake, { once: true });
    await promise;
    signal.removeEventListener('abort', wake);
    this.wake = null;
  }
}
