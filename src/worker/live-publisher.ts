import { setTimeout as delay } from 'node:timers/promises';

import type { ByteLog } from '../platform/memory/byte-log.js';
import { Unavailable } from '../kernel/errors.js';
import { detachBuffer } from '../platform/memory/detach-buffer.js';
import { type LiveOutput, OUTPUT_CHUNK_BYTES_MAX, type OutputSource } from '../live-output/live-output.js';
import type { Log } from '../platform/telemetry/log.js';
import type { AttemptLease } from '../tasks/domain/execution-commands.js';
import { liveSource } from '../tasks/domain/live-source.js';

/**
 * Between two chunks of a stream, unless the next one is full. The first goes out at once, and what is printed meanwhile
 * goes together: a program that prints letter by letter costs fifty messages a second, and a reader sees no difference.
 */
const BATCH_INTERVAL_MS = 20;
/** While NATS is away. */
const RETRY_MS = 500;

/** Since the start. */
export interface LiveFigures {
  readonly published: number;
  /** Chunks that NATS did not take, and that were tried again. */
  readonly late: number;
  /** Bytes that were not out when their attempt was over: followers have them from the stored output instead. */
  readonly leftBytes: number;
}

/** Publishes what attempts print, as they print it. It never fails and never makes a run wait. */
export class LivePublisher {
  readonly figures = { published: 0, late: 0, leftBytes: 0 };

  constructor(
    private readonly live: LiveOutput,
    private readonly log: Log,
  ) {}

  open(lease: AttemptLease): LiveAttempt {
    const streamOf = (stream: OutputSource['stream']) =>
      new LiveStream(liveSource(lease, stream), this.live, this.figures, this.log);
    return new LiveAttempt({ stdout: streamOf('stdout'), stderr: streamOf('stderr') }, this.live);
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
    const again = (): void => {
      for (const stream of Object.values(streams)) stream.again();
    };
    this.stopListening = live.onLoss(again);
    // A run may take longer than a chunk is kept, and who follows it late is to begin at the beginning.
    this.renewal = setInterval(again, live.keptMs / 2).unref();
  }

  /** @param kept all of it so far; it may grow, and is published again as it does */
  publish(stream: OutputSource['stream'], kept: ByteLog): void {
    this.streams[stream].follow(kept);
  }

  /** The attempt is over: from now on its output is in Postgres. */
  close(): void {
    this.stopListening();
    clearInterval(this.renewal);
    for (const stream of Object.values(this.streams)) stream.close();
  }
}

/** Holds nothing that the sandbox does not keep anyway, and has one chunk on its way at a time. */
class LiveStream {
  private kept: ByteLog | null = null;
  private readonly closed = new AbortController();
  private published = 0;
  private publishing = false;

  constructor(
    private readonly source: OutputSource,
    private readonly live: LiveOutput,
    private readonly figures: { published: number; late: number; leftBytes: number },
    private readonly log: Log,
  ) {}

  follow(kept: ByteLog): void {
    this.kept = kept;
    void this.publish();
  }

  again(): void {
    this.published = 0;
    void this.publish();
  }

  close(): void {
    this.closed.abort();
    this.figures.leftBytes += this.left;
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

  /** @returns for how long to wait then */
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
    // Unless it is to begin again.
    if (this.published === offset) this.published += bytes.length;
    detachBuffer(bytes);
    return this.left < OUTPUT_CHUNK_BYTES_MAX ? BATCH_INTERVAL_MS : 0;
  }

  private async pause(ms: number): Promise<void> {
    if (ms > 0) await delay(ms, undefined, { signal: this.closed.signal }).catch(() => undefined);
  }
}
