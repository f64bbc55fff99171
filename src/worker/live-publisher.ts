import { Unavailable } from '../kernel/errors.js';
import { type LiveOutput, OUTPUT_CHUNK_BYTES_MAX, type OutputSource } from '../live-output/live-output.js';
import { delay } from '../platform/async/delay.js';
import type { ByteLog } from '../platform/memory/byte-log.js';
import { detachBuffer } from '../platform/memory/detach-buffer.js';
import type { Log } from '../platform/telemetry/log.js';
import type { AttemptLease } from '../tasks/domain/execution-commands.js';
import { liveSource } from '../tasks/domain/live-source.js';

/**
 * Pause between two chunks of a stream, unless the next one is full. The first chunk is sent at once; output during the
 * pause is sent together. So a program that prints letter by letter costs 50 messages per second, without visible
 * delay.
 */
const BATCH_INTERVAL_MS = 20;
/** Interval while NATS is unavailable. */
const RETRY_MS = 500;

/** Counted since the start. */
export interface LiveFigures {
  readonly published: number;
  /** Failed publishes of chunks; each chunk is retried. */
  readonly late: number;
  /** Bytes not yet published at the end of their attempt: followers read them from the stored output instead. */
  readonly unpublishedBytes: number;
}

/** Publishes the output of attempts as it is written. It never fails and never makes a run wait. */
export class LivePublisher {
  readonly figures = { published: 0, late: 0, unpublishedBytes: 0 };

  constructor(
    private readonly live: LiveOutput,
    private readonly log: Log,
  ) {}

  open(lease: AttemptLease): LiveAttempt {
    const streamOf = (stream: OutputSource['stream']) =>
      new LiveStream(liveSource(lease, stream), this.live, this.figures, this.log);
    return new LiveAttempt(
      { stdout: streamOf('stdout'), stderr: streamOf('stderr'), tests: streamOf('tests') },
      this.live,
    );
  }
}

/** One attempt's output. */
export class LiveAttempt {
  private readonly stopListening: () => void;
  private readonly renewal: NodeJS.Timeout;

  constructor(
    private readonly streams: Readonly<Record<OutputSource['stream'], LiveStream>>,
    live: LiveOutput,
  ) {
    const republish = (): void => {
      for (const stream of Object.values(streams)) stream.republish();
    };
    this.stopListening = live.onLoss(republish);
    // A run may take longer than chunks are kept, and a late follower must still get the output from the beginning.
    this.renewal = setInterval(republish, live.keptMs / 2).unref();
  }

  /** @param kept all output of the stream so far; call again when it has grown */
  publish(stream: OutputSource['stream'], kept: ByteLog): void {
    this.streams[stream].follow(kept);
  }

  /** The attempt is over: from now on followers read its output from Postgres. */
  close(): void {
    this.stopListening();
    clearInterval(this.renewal);
    for (const stream of Object.values(this.streams)) stream.close();
  }
}

/** Buffers nothing beyond what the sandbox keeps, and publishes one chunk at a time. */
class LiveStream {
  private kept: ByteLog | null = null;
  private readonly closed = new AbortController();
  private published = 0;
  private publishing = false;

  constructor(
    private readonly source: OutputSource,
    private readonly live: LiveOutput,
    private readonly figures: { published: number; late: number; unpublishedBytes: number },
    private readonly log: Log,
  ) {}

  follow(kept: ByteLog): void {
    this.kept = kept;
    void this.publish();
  }

  republish(): void {
    this.published = 0;
    void this.publish();
  }

  close(): void {
    this.closed.abort();
    this.figures.unpublishedBytes += this.left;
  }

  private get left(): number {
    return (this.kept?.length ?? 0) - this.published;
  }

  private async publish(): Promise<void> {
    if (this.publishing || this.kept === null) return;
    this.publishing = true;
    while (this.left > 0 && !this.closed.signal.aborted) await this.pause(await this.next(this.kept));
    this.publishing = false;
  }

  /** @returns how long to wait before the next chunk, ms */
  private async next(kept: ByteLog): Promise<number> {
    const offset = this.published;
    const bytes = kept.slice(offset, offset + OUTPUT_CHUNK_BYTES_MAX);
    try {
      await this.live.publish(this.source, { offset, bytes });
    } catch (error) {
      this.figures.late += 1;
      if (!(error instanceof Unavailable)) this.log.error({ err: error }, 'live output not published');
      return RETRY_MS;
    }
    this.figures.published += 1;
    // Unless `republish` has reset it meanwhile.
    if (this.published === offset) this.published += bytes.length;
    detachBuffer(bytes);
    return this.left < OUTPUT_CHUNK_BYTES_MAX ? BATCH_INTERVAL_MS : 0;
  }

  private async pause(ms: number): Promise<void> {
    if (ms > 0) await delay(ms, { signal: this.closed.signal });
  }
}
