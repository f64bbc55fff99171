import type { Socket } from 'node:net';

import { detachBuffer } from '../platform/memory/detach-buffer.js';
import { DockerFrames } from './docker-frames.js';
import { jobFrame, killFrame, type LauncherMessage, LauncherMessages } from './launcher-messages.js';

/** Of the launcher's own words on stderr: one line, when it gives up. */
const LAST_WORDS_BYTES_MAX = 500;
/** A dead host sends no FIN: ask as often. */
const KEEP_ALIVE_MS = 10_000;

/** The attached stream of one cell: jobs go in, the launcher's messages come out. */
export class CellLink {
  /** Resolves when nothing more will come; with an error where the connection broke. */
  readonly closed: Promise<Error | undefined>;
  private resolveClosed!: (error?: Error) => void;
  private words = '';

  constructor(
    private readonly socket: Socket,
    onMessage: (message: LauncherMessage) => void,
  ) {
    this.closed = new Promise((resolve) => (this.resolveClosed = resolve));
    const messages = new LauncherMessages(onMessage);
    const frames = new DockerFrames((stream, chunk) => {
      if (stream === 'stdout') messages.write(chunk);
      else this.words = (this.words + chunk.toString('utf8')).slice(0, LAST_WORDS_BYTES_MAX);
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

  /** What the launcher, or the runtime that could not start it, said before it ended. No user code writes there. */
  get lastWords(): string {
    return this.words.trim();
  }

  /** Hands a job over. What the launcher has not read yet waits in the socket. */
  send(job: Buffer): void {
    this.socket.write(jobFrame(job));
  }

  kill(job: number): void {
    this.socket.write(killFrame(job));
  }

  /** Must come before the container is killed: the engine wedges on a stream that is there and not read. */
  destroy(): void {
    this.socket.destroy();
    this.resolveClosed();
  }
}
