import type { CapturedOutput } from '../../kernel/ports/sandbox.js';

/**
 * Keeps at most `bytesMax` of a stream: all of it, or its first and its last half. Memory is bounded by `bytesMax`,
 * however much is written. What is cut is bytes, so a character may be split where head and tail meet.
 */
export class OutputCapture {
  private readonly head: Buffer[] = [];
  private headLeft: number;
  private tail: Buffer | null = null;
  private readonly tailSize: number;
  /** Where the next byte of the ring goes. */
  private tailAt = 0;
  private total = 0;

  constructor(readonly bytesMax: number) {
    this.headLeft = Math.ceil(bytesMax / 2);
    this.tailSize = bytesMax - this.headLeft;
  }

  get bytesTotal(): number {
    return this.total;
  }

  get isFull(): boolean {
    return this.total > this.bytesMax;
  }

  write(chunk: Buffer): void {
    this.total += chunk.length;
    const toHead = Math.min(chunk.length, this.headLeft);
    if (toHead > 0) {
      // A copy: the chunk is a slice of the socket's buffer, which a kept slice would keep whole.
      this.head.push(Buffer.from(chunk.subarray(0, toHead)));
      this.headLeft -= toHead;
    }
    if (toHead < chunk.length) this.writeTail(chunk.subarray(toHead));
  }

  result(): CapturedOutput {
    const { bytesTotal } = this;
    return { content: Buffer.concat([...this.head, ...this.tailParts()]), bytesTotal, truncated: this.isFull };
  }

  private writeTail(chunk: Buffer): void {
    if (this.tailSize === 0) return;
    this.tail ??= Buffer.alloc(this.tailSize);
    const last = chunk.subarray(Math.max(0, chunk.length - this.tailSize));
    // Bytes that the ring would overwrite within this very chunk still move the position.
    this.tailAt = (this.tailAt + chunk.length - last.length) % this.tailSize;
    const toEnd = last.copy(this.tail, this.tailAt);
    last.copy(this.tail, 0, toEnd);
    this.tailAt = (this.tailAt + last.length) % this.tailSize;
  }

  private tailParts(): Buffer[] {
    if (this.tail === null) return [];
    if (!this.isFull) return [this.tail.subarray(0, this.total - Math.ceil(this.bytesMax / 2))];
    return [this.tail.subarray(this.tailAt), this.tail.subarray(0, this.tailAt)];
  }
}
