import type { Socket } from 'node:net';

import { detachBuffer } from '../platform/memory/detach-buffer.js';
import { DockerFrames } from './docker-frames.js';
import {
  baseFrame,
  jobFrame,
  killFrame,
  type LauncherMessage,
  LauncherMessages,
  preloadFrame,
} from './launcher-messages.js';

/** Kept of the launcher's stderr: it writes one line there, when it gives up. */
const STDERR_BYTES_MAX = 500;
/** Interval of TCP keep-alive probes: a dead host sends no FIN. */
const KEEP_ALIVE_MS = 10_000;

/** The attached stream of one cell: jobs go in, the launcher's messages come out. */
export class CellLink {
  /** Resolves when the stream has ended, with an error if the connection broke. */
  readonly closed: Promise<Error | undefined>;
  private resolveClosed!: (error?: Error) => void;
  private stderrText = '';

  constructor(
    private readonly socket: Socket,
    onMessage: (message: LauncherMessage) => void,
  ) {
    this.closed = new Promise((resolve) => (this.resolveClosed = resolve));
    const messages = new LauncherMessages(onMessage);
    const frames = new DockerFrames((stream, chunk) => {
      if (stream === 'stdout') messages.write(chunk);
      else this.stderrText = (this.stderrText + chunk.toString('utf8')).slice(0, STDERR_BYTES_MAX);
    });
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('data', (bytes: Buffer) => {
      try {
        frames.write(bytes);
        detachBuffer(bytes);
      } catch (error) {
        this.resolveClosed(error as Error);
        socket.destroy();
      }
    });
    socket.on('error', (error) => this.resolveClosed(error));
    socket.on('end', () => this.resolveClosed());
    socket.on('close', () => this.resolveClosed());
  }

  /** The stderr of the launcher, or of the runtime that could not start it. User code cannot write there. */
  get stderr(): string {
    return this.stderrText.trim();
  }

  /** Sends a job. Bytes that the launcher has not read yet wait in the socket, which does not copy them. */
  send(job: readonly Uint8Array[]): void {
    this.write(jobFrame(job));
  }

  sendBase(base: readonly Uint8Array[]): void {
    this.write(baseFrame(base));
  }

  kill(job: number): void {
    this.socket.write(killFrame(job));
  }

  preload(): void {
    this.socket.write(preloadFrame());
  }

  private write(parts: readonly Uint8Array[]): void {
    this.socket.cork();
    for (const part of parts) this.socket.write(part);
    this.socket.uncork();
  }

  /** Must be called before the container is killed: the engine hangs on an attached stream that is not read. */
  destroy(): void {
    this.socket.destroy();
    this.resolveClosed();
  }
}
