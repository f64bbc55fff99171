import type { OutputStreamName } from '../../kernel/ports/sandbox.js';
import { type EndReport, parseTrailer } from './end-of-run.js';

/** What PID 1 of a cell says (infra/launcher/README.md, "Protocol 1"). */
export type LauncherMessage =
  | { readonly kind: 'hello' }
  /** The program has been exec'ed. */
  | { readonly kind: 'started'; readonly job: number }
  | { readonly kind: 'output'; readonly job: number; readonly stream: OutputStreamName; readonly bytes: Buffer }
  /** The end of the run: every process of it is dead, and all it printed has been told. */
  | { readonly kind: 'ended'; readonly job: number; readonly report: EndReport }
  /** No user code ran. */
  | { readonly kind: 'refused'; readonly job: number; readonly message: string };

const PROTOCOL = 1;
const HEADER_BYTES = 5;
const JOB_BYTES = 4;
const PAYLOAD_BYTES_MAX = 64 * 1024;
/** Frames are `u8` type, `u32` length, payload; numbers are big-endian. */
const FRAME = { job: 'J', kill: 'K' } as const;

/** Takes the launcher's frames out of its standard output. A program's own output is only ever a frame's payload. */
export class LauncherMessages {
  private pending: Buffer = Buffer.alloc(0);

  constructor(private readonly onMessage: (message: LauncherMessage) => void) {}

  /** @throws Error for what no launcher says: nothing after it can be trusted */
  write(chunk: Buffer): void {
    let rest = this.pending.length > 0 ? Buffer.concat([this.pending, chunk]) : chunk;
    while (rest.length >= HEADER_BYTES) {
      const length = rest.readUInt32BE(1);
      if (length > PAYLOAD_BYTES_MAX) throw new Error('a frame of the launcher is too long');
      if (rest.length < HEADER_BYTES + length) break;
      const message = decode(String.fromCharCode(rest[0]!), rest.subarray(HEADER_BYTES, HEADER_BYTES + length));
      rest = rest.subarray(HEADER_BYTES + length);
      this.onMessage(message);
    }
    // A copy: the rest is a slice of the socket's buffer, which a kept slice would keep whole.
    this.pending = Buffer.from(rest);
  }
}

function decode(type: string, payload: Buffer): LauncherMessage {
  if (type === 'H') {
    const spoken = /^protocol=(\d+)$/m.exec(payload.toString('utf8'))?.[1];
    if (spoken !== String(PROTOCOL))
      throw new Error(`the launcher in the image speaks protocol ${spoken}, not ${PROTOCOL}`);
    return { kind: 'hello' };
  }
  if (payload.length < JOB_BYTES) throw new Error('a frame of the launcher is too short');
  const job = payload.readUInt32BE();
  const bytes = payload.subarray(JOB_BYTES);
  switch (type) {
    case 'S':
      return { kind: 'started', job };
    // Head and tail: the tail comes after the whole head, so one is appended to the other.
    case 'O':
    case 'o':
      return { kind: 'output', job, stream: 'stdout', bytes };
    case 'E':
    case 'e':
      return { kind: 'output', job, stream: 'stderr', bytes };
    case 'T':
      return { kind: 'ended', job, report: parseTrailer(bytes.toString('utf8')) };
    case 'R':
      return { kind: 'refused', job, message: bytes.toString('utf8') };
    default:
      throw new Error('a frame of the launcher has no known type');
  }
}

export const jobFrame = (job: Buffer): Buffer => Buffer.concat([header(FRAME.job, job.length), job]);

/** Ends the job if it is the one that runs: a kill that comes after its end harms no later one. */
export function killFrame(job: number): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + JOB_BYTES);
  header(FRAME.kill, JOB_BYTES).copy(frame);
  frame.writeUInt32BE(job, HEADER_BYTES);
  return frame;
}

function header(type: string, length: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write(type, 'latin1');
  bytes.writeUInt32BE(length, 1);
  return bytes;
}
