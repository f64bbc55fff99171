/** A record of PID 1 is short; more than this behind a nonce is a bug of ours. */
const RECORD_BYTES_MAX = 4_096;
const NEWLINE = 0x0a;

export interface ScannerEvents {
  /** The program's own bytes, in order. */
  readonly data: (chunk: Buffer) => void;
  /** A record of PID 1, without nonce and newline. */
  readonly record: (text: string) => void;
}

/**
 * Takes PID 1's records (`<nonce>text\n`) out of a stream of user output. Output is passed on at once; held back is only
 * what may be the beginning of a nonce: less than its length.
 */
export class RecordScanner {
  private carry: Buffer = Buffer.alloc(0);
  private inRecord = false;

  constructor(
    private readonly nonce: Buffer,
    private readonly events: ScannerEvents,
  ) {}

  write(chunk: Buffer): void {
    let rest = this.carry.length > 0 ? Buffer.concat([this.carry, chunk]) : chunk;
    this.carry = Buffer.alloc(0);
    while (rest.length > 0) {
      const next = this.inRecord ? this.takeRecord(rest) : this.takeData(rest);
      if (next === null) return;
      rest = next;
    }
  }

  /** The stream is over: what was held back was the program's. */
  end(): void {
    if (!this.inRecord && this.carry.length > 0) this.events.data(this.carry);
    this.carry = Buffer.alloc(0);
  }

  private takeData(bytes: Buffer): Buffer | null {
    const at = bytes.indexOf(this.nonce);
    if (at >= 0) {
      if (at > 0) this.events.data(bytes.subarray(0, at));
      this.inRecord = true;
      return bytes.subarray(at + this.nonce.length);
    }
    const held = this.beginningOfNonce(bytes);
    if (held < bytes.length) this.events.data(bytes.subarray(0, bytes.length - held));
    this.carry = Buffer.from(bytes.subarray(bytes.length - held));
    return null;
  }

  private takeRecord(bytes: Buffer): Buffer | null {
    const at = bytes.indexOf(NEWLINE);
    if (at < 0) {
      if (bytes.length > RECORD_BYTES_MAX) throw new Error('a record of PID 1 does not end');
      this.carry = Buffer.from(bytes);
      return null;
    }
    this.inRecord = false;
    this.events.record(bytes.toString('utf8', 0, at));
    return bytes.subarray(at + 1);
  }

  /** How many bytes at the end may be the beginning of a nonce. */
  private beginningOfNonce(bytes: Buffer): number {
    const longest = Math.min(bytes.length, this.nonce.length - 1);
    for (let length = longest; length > 0; length -= 1) {
      if (bytes.subarray(bytes.length - length).equals(this.nonce.subarray(0, length))) return length;
    }
    return 0;
  }
}
