import type { Socket } from 'node:net';

import type { CapturedOutput } from '../../kernel/ports/sandbox.js';
import { DockerFrames, type OutputStream } from './docker-frames.js';
import { type EndReport, parseEndRecord } from './end-of-run.js';
import { OutputCapture } from './output-capture.js';
import { RecordScanner } from './record-scanner.js';

/** How the conversation with PID 1 ended. */
export type StreamEnd =
  | { readonly kind: 'reported'; readonly report: EndReport }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'closed'; readonly error?: Error };

/**
 * A program over its cap is slowed down, or the copying of what nobody will keep would take a core of the engine's host
 * and the worker's own loop: 160 KiB in 10 ms are 16 MiB/s. The pauses are short enough never to wedge the engine.
 */
const FLOOD_BYTES_PER_PAUSE = 160 * 1024;
const FLOOD_PAUSE_MS = 10;

export interface RunStreamOptions {
  readonly nonce: Buffer;
  readonly outputBytesMax: number;
  readonly onOutput: ((stream: OutputStream, chunk: Uint8Array) => void) | undefined;
}

/** The attach stream of one container: gives PID 1 its job, gathers output, waits for its records. */
export class RunStream {
  readonly started: Promise<Date>;
  readonly ended: Promise<StreamEnd>;
  private readonly captures: Record<OutputStream, OutputCapture>;
  private readonly scanners: Record<OutputStream, RecordScanner>;
  private resolveStarted!: (at: Date) => void;
  private resolveEnded!: (end: StreamEnd) => void;
  private readonly sawEndOn = new Set<OutputStream>();
  private report: EndReport | null = null;
  private floodBytes = 0;
  private pause: NodeJS.Timeout | undefined;
  private mayPause = true;

  constructor(
    private readonly socket: Socket,
    private readonly options: RunStreamOptions,
  ) {
    this.started = new Promise((resolve) => (this.resolveStarted = resolve));
    this.ended = new Promise((resolve) => (this.resolveEnded = resolve));
    const { outputBytesMax } = options;
    this.captures = { stdout: new OutputCapture(outputBytesMax), stderr: new OutputCapture(outputBytesMax) };
    this.scanners = { stdout: this.scannerOf('stdout'), stderr: this.scannerOf('stderr') };
    this.listen();
  }

  /** Hands the job over. What PID 1 has not read yet waits in the socket; the program's stdin is part of it. */
  deliver(job: Buffer): void {
    this.socket.write(job);
  }

  get output(): Record<OutputStream, CapturedOutput> {
    return { stdout: this.captures.stdout.result(), stderr: this.captures.stderr.result() };
  }

  /** From now on everything is read as fast as it comes: the run is about to end. */
  drain(): void {
    this.mayPause = false;
    clearTimeout(this.pause);
    this.socket.resume();
  }

  /** Must come before the container is killed: the engine wedges on a stream that is there and not read. */
  destroy(): void {
    clearTimeout(this.pause);
    this.mayPause = false;
    this.socket.destroy();
    this.resolveEnded({ kind: 'closed' });
  }

  private listen(): void {
    const frames = new DockerFrames((stream, chunk) => this.scanners[stream].write(chunk));
    // A dead host sends no FIN: ask every 10 s.
    this.socket.setKeepAlive(true, 10_000);
    this.socket.on('data', (bytes: Buffer) => {
      try {
        frames.write(bytes);
      } catch (error) {
        this.closed(error as Error);
        this.socket.destroy();
      }
    });
    this.socket.on('error', (error) => this.closed(error));
    this.socket.on('end', () => this.closed());
    this.socket.on('close', () => this.closed());
  }

  private scannerOf(stream: OutputStream): RecordScanner {
    return new RecordScanner(this.options.nonce, {
      data: (chunk) => this.receive(stream, chunk),
      record: (text) => this.heed(stream, text),
    });
  }

  private receive(stream: OutputStream, chunk: Buffer): void {
    const capture = this.captures[stream];
    capture.write(chunk);
    this.options.onOutput?.(stream, chunk);
    if (capture.isFull) this.slowDown(chunk.length);
  }

  private slowDown(bytes: number): void {
    this.floodBytes += bytes;
    if (!this.mayPause || this.floodBytes < FLOOD_BYTES_PER_PAUSE) return;
    this.floodBytes = 0;
    this.socket.pause();
    clearTimeout(this.pause);
    this.pause = setTimeout(() => this.socket.resume(), FLOOD_PAUSE_MS);
  }

  private heed(stream: OutputStream, record: string): void {
    if (record === 'start') return this.resolveStarted(new Date());
    if (record.startsWith('refused ')) {
      return this.resolveEnded({ kind: 'refused', message: record.slice('refused '.length) });
    }
    this.sawEndOn.add(stream);
    if (stream === 'stderr') this.report = parseEndRecord(record);
    // Docker copies the two pipes side by side: the end is there when both have been read to their end.
    if (this.report !== null && this.sawEndOn.size === 2) {
      this.resolveEnded({ kind: 'reported', report: this.report });
    }
  }

  private closed(error?: Error): void {
    this.scanners.stdout.end();
    this.scanners.stderr.end();
    this.resolveEnded(error === undefined ? { kind: 'closed' } : { kind: 'closed', error });
  }
}
