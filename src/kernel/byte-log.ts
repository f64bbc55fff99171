const CAPACITY_BYTES_MIN = 4 * 1024;

/**
 * Bytes in the order they came, in one piece of memory that doubles when it is full: a million chunks of one byte each
 * are a megabyte, where a list of them took a hundred.
 */
export class ByteLog {
  private bytes = Buffer.alloc(0);
  private used = 0;

  get length(): number {
    return this.used;
  }

  /** Takes a copy. */
  add(chunk: Uint8Array): void {
    const needed = this.used + chunk.length;
    if (needed > this.bytes.length) {
      // Not from Node's pool: a slice of that is kept alive together with its neighbours.
      const larger = Buffer.allocUnsafeSlow(Math.max(CAPACITY_BYTES_MIN, this.bytes.length * 2, needed));
      this.bytes.copy(larger, 0, 0, this.used);
      this.bytes = larger;
    }
    this.bytes.set(chunk, this.used);
    this.used = needed;
  }

  /** A view and no copy: what is written stays as it is. Both ends are cut to what there is. */
  slice(from: number, to: number = this.used): Buffer {
    return this.bytes.subarray(Math.min(from, this.used), Math.min(to, this.used));
  }
}
