const CAPACITY_BYTES_MIN = 4 * 1024;

/**
 * Bytes in the order of arrival, in one buffer that doubles when it is full: a million chunks of one byte each take a
 * megabyte, where a list of them took a hundred. The buffer moves as it grows, and leaves none behind for the garbage
 * collector.
 */
export class ByteLog {
  private bytes = ownBytes(0);
  private used = 0;

  get length(): number {
    return this.used;
  }

  /** Takes a copy. */
  add(chunk: Uint8Array): void {
    const needed = this.used + chunk.length;
    if (needed > this.bytes.length) this.resize(Math.max(CAPACITY_BYTES_MIN, this.bytes.length * 2, needed));
    this.bytes.set(chunk, this.used);
    this.used = needed;
  }

  /** A copy. Both ends are limited to the length. */
  slice(from: number, to: number = this.used): Buffer {
    return Buffer.from(this.bytes.subarray(Math.min(from, this.used), Math.min(to, this.used)));
  }

  /** All bytes without a copy, in memory of exactly that size: valid until more is added. */
  whole(): Buffer {
    this.resize(this.used);
    return this.bytes;
  }

  private resize(capacity: number): void {
    if (capacity !== this.bytes.length) this.bytes = Buffer.from(this.bytes.buffer.transfer(capacity));
  }
}

/** Not from Node's pool, because it is transferred. */
const ownBytes = (length: number): Buffer<ArrayBuffer> => Buffer.from(new ArrayBuffer(length));
