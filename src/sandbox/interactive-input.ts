/** Accepted bytes that the program's pipe has not taken yet, in the worker and in the launcher together. */
export const INPUT_WAITING_BYTES_MAX = 256 * 1024;
/** The launcher holds at most this much of it (infra/launcher/input.h). */
const WINDOW_BYTES = 64 * 1024;

/** `full`: the program does not read. `closed`: its input was ended before. `ended`: the program is over. */
export type InputOutcome = 'accepted' | 'full' | 'closed' | 'ended';

/**
 * Standard input that is added while a program runs: a bounded buffer between whoever adds and the cell. What is added
 * before the program starts waits for it.
 */
export class InteractiveInput {
  private total = 0;
  private closed = false;
  private ended = false;
  /** Accepted and not sent yet. */
  private waiting = Buffer.alloc(0);
  private confirmed = 0;
  private send: ((bytes: Uint8Array) => void) | null = null;

  /** Bytes accepted so far. */
  get bytes(): number {
    return this.total;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** All of it, or nothing. @param isLast standard input ends after these bytes, of which there may be none */
  add(bytes: Uint8Array, isLast: boolean): InputOutcome {
    if (this.ended) return 'ended';
    if (this.closed) return 'closed';
    if (this.total - this.confirmed + bytes.length > INPUT_WAITING_BYTES_MAX) return 'full';
    this.total += bytes.length;
    this.closed = isLast;
    // A copy: many small pieces do not keep the large buffers in memory that they arrived in.
    this.waiting = Buffer.concat([this.waiting, bytes]);
    this.flush();
    return 'accepted';
  }

  /** The program has started. @param send to its cell, at most a window at a time; no bytes: the end */
  connect(send: (bytes: Uint8Array) => void): void {
    if (this.ended) return;
    this.send = send;
    this.flush();
  }

  /**
   * @param taken how many bytes the program's pipe has taken so far, modulo 2^32
   * @throws Error if they were never sent
   */
  confirm(taken: number): void {
    if (this.ended) return;
    const more = (taken - this.confirmed) >>> 0;
    if (more > this.unconfirmed) throw new Error('the launcher confirms input that it did not get');
    this.confirmed += more;
    this.flush();
  }

  /** The program is over, or about to be killed: what is left is dropped. */
  end(): void {
    this.ended = true;
    this.send = null;
    this.waiting = Buffer.alloc(0);
  }

  private get unconfirmed(): number {
    return this.total - this.waiting.length - this.confirmed;
  }

  private flush(): void {
    const { send } = this;
    if (send === null) return;
    const bytes = this.waiting.subarray(0, WINDOW_BYTES - this.unconfirmed);
    this.waiting = this.waiting.subarray(bytes.length);
    if (bytes.length > 0) send(bytes);
    if (!this.closed || this.waiting.length > 0) return;
    this.send = null;
    send(Buffer.alloc(0));
  }
}
