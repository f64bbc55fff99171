import { PROGRAM_BYTES_MAX } from './compiled-programs.js';

/** What a job compiled, as its launcher sends it. */
export class ReceivedProgram {
  private readonly pieces: Buffer[] = [];
  private bytes = 0;

  /** A launcher sends no more than was asked for. @param piece valid only during the call */
  add(piece: Buffer): void {
    this.bytes += piece.length;
    if (this.bytes <= PROGRAM_BYTES_MAX) this.pieces.push(Buffer.from(piece));
  }

  /** @returns null if it has not this many bytes */
  whole(bytes: number): Buffer | null {
    const program = Buffer.concat(this.pieces);
    return program.length === bytes ? program : null;
  }
}
