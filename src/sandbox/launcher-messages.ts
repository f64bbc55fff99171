import { AwaitedBytes } from './awaited-bytes.js';
import { type EndReport, parseTrailer } from './end-of-run.js';
import type { OutputStreamName } from './sandbox.js';

/** A message of the launcher, PID 1 of a cell (infra/launcher/README.md, "Protocol 6"). */
export type LauncherMessage =
  /** `kernelMemoryBytes`: the kernel memory that the cell is charged for; null if its launcher does not know. */
  | { readonly kind: 'hello'; readonly kernelMemoryBytes: number | null }
  /** Whether the interpreter, which the cell was told to start, has started. */
  | { readonly kind: 'preload'; readonly state: PreloadState }
  /** The program has been exec'ed. */
  | { readonly kind: 'started'; readonly job: number }
  /** The bytes of a frame, or some of them. */
  | { readonly kind: 'output'; readonly job: number; readonly stream: OutputStreamName; readonly bytes: Buffer }
  /** A part of the records of files; the first is empty, and says that all processes are dead. */
  | { readonly kind: 'files'; readonly job: number; readonly bytes: Buffer }
  /** The end of the run: all its processes are dead, and all its output has been sent. */
  | { readonly kind: 'ended'; readonly job: number; readonly report: EndReport }
  /** No user code ran. */
  | { readonly kind: 'refused'; readonly job: number; readonly message: string };

/** Whether a cell has a preloaded interpreter. */
export type PreloadState = (typeof PRELOAD_STATES)[number];
const PRELOAD_STATES = ['none', 'ready', 'failed'] as const;

const PROTOCOL = 6;
const HEADER_BYTES = 5;
const JOB_BYTES = 4;
const PAYLOAD_BYTES_MAX = 64 * 1024;
/** Of a part of a frame that is copied to be sent together with others. */
const COPIED_BYTES_MAX = 16 * 1024;
/** Frames are `u8` type, `u32` length, payload; numbers are big-endian. */
const FRAME = { base: 'B', job: 'J', kill: 'K', preload: 'Z' } as const;
/** Passed on in pieces. Head and tail: the tail comes after the whole head, so one is appended to the other. */
const PIECES: Readonly<Partial<Record<string, PassingStream>>> = {
  O: 'stdout',
  o: 'stdout',
  E: 'stderr',
  e: 'stderr',
  F: 'files',
};

type PassingStream = OutputStreamName | 'files';

interface PassingOutput {
  readonly job: number;
  readonly stream: PassingStream;
  bytesLeft: number;
}

/**
 * Parses frames from the launcher's standard output. A program's own output is always the payload of a frame. It is
 * passed on as it arrives: it makes up almost all of the data, and buffering it first would copy all of it.
 */
export class LauncherMessages {
  /** A frame's header, the job number of an output, or any other payload. */
  private readonly next = new AwaitedBytes();
  private output: PassingOutput | null = null;

  constructor(private readonly onMessage: (message: LauncherMessage) => void) {
    this.awaitHeader();
  }

  /** Keeps no reference to the chunk. @throws Error for an invalid frame: nothing after it can be trusted */
  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) at += this.output ? this.pass(this.output, chunk, at) : this.next.take(chunk, at);
  }

  private awaitHeader(): void {
    this.next.await(HEADER_BYTES, (header) => this.takeHeader(header));
  }

  private takeHeader(header: Buffer): void {
    const type = String.fromCharCode(header[0]!);
    const length = header.readUInt32BE(1);
    if (length > PAYLOAD_BYTES_MAX) throw new Error('a frame of the launcher is too long');
    if (type !== 'H' && type !== FRAME.preload && length < JOB_BYTES)
      throw new Error('a frame of the launcher is too short');
    const stream = PIECES[type];
    if (stream) this.next.await(JOB_BYTES, (job) => this.takeJob(job.readUInt32BE(), stream, length - JOB_BYTES));
    else this.next.await(length, (payload) => this.takeMessage(type, payload));
  }

  private takeJob(job: number, stream: PassingStream, bytesLeft: number): void {
    this.awaitHeader();
    if (bytesLeft > 0) this.output = { job, stream, bytesLeft };
    else if (stream === 'files') this.onMessage({ kind: 'files', job, bytes: Buffer.alloc(0) });
  }

  private takeMessage(type: string, payload: Buffer): void {
    const message = decode(type, payload);
    this.awaitHeader();
    this.onMessage(message);
  }

  private pass(output: PassingOutput, chunk: Buffer, at: number): number {
    const { job, stream } = output;
    const bytes = chunk.subarray(at, at + output.bytesLeft);
    output.bytesLeft -= bytes.length;
    if (output.bytesLeft === 0) this.output = null;
    if (stream === 'files') this.onMessage({ kind: stream, job, bytes });
    else this.onMessage({ kind: 'output', job, stream, bytes });
    return bytes.length;
  }
}

function decode(type: string, payload: Buffer): LauncherMessage {
  if (type === 'H') {
    const hello = payload.toString('utf8');
    const protocol = /^protocol=(\d+)$/m.exec(hello)?.[1];
    if (protocol !== String(PROTOCOL))
      throw new Error(`the launcher in the image uses protocol ${protocol}, not ${PROTOCOL}`);
    const bytes = /^kernel_memory=(\d+)$/m.exec(hello)?.[1];
    return { kind: 'hello', kernelMemoryBytes: bytes === undefined ? null : Number(bytes) };
  }
  if (type === FRAME.preload) {
    const state = PRELOAD_STATES.find((known) => known === payload.toString('latin1'));
    if (state === undefined) throw new Error('the launcher reports an unknown state of its interpreter');
    return { kind: 'preload', state };
  }
  const job = payload.readUInt32BE();
  const words = payload.toString('utf8', JOB_BYTES);
  switch (type) {
    case 'S':
      return { kind: 'started', job };
    case 'T':
      return { kind: 'ended', job, report: parseTrailer(words) };
    case 'R':
      return { kind: 'refused', job, message: words };
    default:
      throw new Error('a frame of the launcher has no known type');
  }
}

/** What later jobs have in common. @param base its parts, in order */
export const baseFrame = (base: readonly Uint8Array[]): Uint8Array[] => frameOf(FRAME.base, base);

export const jobFrame = (job: readonly Uint8Array[]): Uint8Array[] => frameOf(FRAME.job, job);

/** Tells the launcher to start its interpreter. */
export const preloadFrame = (): Buffer => header(FRAME.preload, 0);

/** Ends the job if it is the one that runs: a late kill does not affect later jobs. */
export function killFrame(job: number): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + JOB_BYTES);
  header(FRAME.kill, JOB_BYTES).copy(frame);
  frame.writeUInt32BE(job, HEADER_BYTES);
  return frame;
}

function frameOf(type: string, parts: readonly Uint8Array[]): Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return joinedSmallParts([header(type, length), ...parts]);
}

/** The socket sends each part by itself: only those that are worth it. */
function joinedSmallParts(parts: readonly Uint8Array[]): Uint8Array[] {
  const joined: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const flush = (): void => {
    if (small.length > 0) joined.push(Buffer.concat(small));
    small = [];
  };
  for (const part of parts) {
    if (part.length <= COPIED_BYTES_MAX) small.push(part);
    else {
      flush();
      joined.push(part);
    }
  }
  flush();
  return joined;
}

function header(type: string, length: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write(type, 'latin1');
  bytes.writeUInt32BE(length, 1);
  return bytes;
}
