/** Gathers bytes that arrive in pieces of any size until a part of known length is complete. */
export class AwaitedBytes {
  private bytes = Buffer.alloc(0);
  private here = 0;
  private onComplete: (bytes: Buffer) => void = () => undefined;

  /** @param onComplete gets memory of its own, and awaits the next part. Called at once for a length of 0 */
  await(length: number, onComplete: (bytes: Buffer) => void): void {
    this.bytes = Buffer.allocUnsafeSlow(length);
    this.here = 0;
    this.onComplete = onComplete;
    if (length === 0) onComplete(this.bytes);
  }

  /** Keeps no reference to the chunk. @returns how many of its bytes, from `at` on, belong to the part */
  take(chunk: Uint8Array, at: number): number {
    const part = chunk.subarray(at, at + this.bytes.length - this.here);
    this.bytes.set(part, this.here);
    this.here += part.length;
    if (this.here === this.bytes.length) this.onComplete(this.bytes);
    return part.length;
  }
}
