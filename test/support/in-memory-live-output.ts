import { EventEmitter, once } from 'node:events';

import { Unavailable } from '../../src/kernel/errors.js';
import { LiveOutput, type OutputChunk, type OutputSource } from '../../src/live-output/live-output.js';
import { ignoreErrors } from '../../src/platform/async/ignore-errors.js';

const HOUR_MS = 3_600_000;
const keyOf = (source: OutputSource): string => Object.values(source).join(' ');

/** The port without NATS. */
export class InMemoryLiveOutput extends LiveOutput {
  override readonly keptMs = HOUR_MS;
  away = false;
  /** In the order of publication. */
  readonly chunks: (OutputChunk & { readonly key: string })[] = [];
  private readonly news = new EventEmitter();

  override async publish(source: OutputSource, { offset, bytes }: OutputChunk): Promise<void> {
    if (this.away) throw new Unavailable('nats', 'away');
    this.chunks.push({ key: keyOf(source), offset, bytes: Uint8Array.from(bytes) });
    this.news.emit('chunk');
  }

  override async *read(source: OutputSource, signal: AbortSignal): AsyncGenerator<OutputChunk> {
    for (let next = 0; !signal.aborted;) {
      if (this.away) throw new Unavailable('nats', 'away');
      const chunk = this.chunks[next];
      if (chunk === undefined) await ignoreErrors(once(this.news, 'chunk', { signal }), 'the loop checks the signal');
      else next += 1;
      if (chunk?.key === keyOf(source)) yield chunk;
    }
  }

  override async forget(executionId: string): Promise<void> {
    if (this.away) throw new Unavailable('nats', 'away');
    const kept = this.chunks.filter(({ key }) => !key.startsWith(`${executionId} `));
    this.chunks.splice(0, this.chunks.length, ...kept);
  }

  override onLoss(listener: () => void): () => void {
    this.news.on('loss', listener);
    return () => this.news.off('loss', listener);
  }

  lose(): void {
    this.chunks.length = 0;
    this.news.emit('loss');
  }

  /** The text of a source, with every chunk at its offset. */
  textOf(source: OutputSource): string {
    const bytes: number[] = [];
    for (const chunk of this.chunks.filter(({ key }) => key === keyOf(source))) {
      for (const [index, byte] of chunk.bytes.entries()) bytes[chunk.offset + index] = byte;
    }
    return Buffer.from(bytes).toString();
  }
}
