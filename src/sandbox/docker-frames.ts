import type { OutputStreamName } from './sandbox.js';

const HEADER_BYTES = 8;

/**
 * Parses Docker's multiplexed attach stream: frames of {stream, 0, 0, 0, length as 4 bytes} and content
 * (Engine API, "Attach to a container", stream format). Content is passed on as it arrives and never buffered:
 * a frame may claim a length of 4 GiB.
 */
export class DockerFrames {
  private readonly header = Buffer.alloc(HEADER_BYTES);
  private headerBytes = 0;
  private contentLeft = 0;

  constructor(private readonly onContent: (stream: OutputStreamName, chunk: Buffer) => void) {}

  write(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      at += this.contentLeft > 0 ? this.takeContent(bytes, at) : this.takeHeader(bytes, at);
    }
  }

  private takeHeader(bytes: Buffer, at: number): number {
    const taken = bytes.copy(this.header, this.headerBytes, at, at + HEADER_BYTES - this.headerBytes);
    this.headerBytes += taken;
    if (this.headerBytes < HEADER_BYTES) return taken;
    this.headerBytes = 0;
    if (this.header[0]! > 2) throw new Error('the attach stream is not multiplexed');
    this.contentLeft = this.header.readUInt32BE(4);
    return taken;
  }

  private takeContent(bytes: Buffer, at: number): number {
    const chunk = bytes.subarray(at, at + this.contentLeft);
    this.contentLeft -= chunk.length;
    this.onContent(this.header[0] === 2 ? 'stderr' : 'stdout', chunk);
    return chunk.length;
  }
}
