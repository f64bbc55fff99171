import { Injectable } from '@nestjs/common';

import { StreamWatch } from '../../event-sourcing/event-store/stream-watch.js';
import { Unavailable } from '../../kernel/errors.js';
import { LiveOutput, type OutputChunk, type OutputSource } from '../../live-output/live-output.js';
import { delay } from '../../platform/async/delay.js';
import type { ExecutionState } from '../domain/execution-state.js';
import { liveSource } from '../domain/live-source.js';

/** Delay before the next try while the live output cannot be read. */
const LIVE_RETRY_MS = 500;

/** How much of an attempt's stream a follower has. */
export interface Sent {
  bytes: number;
}

/** One stream of the attempt that runs: live while it runs, and then the rest of what was stored. */
@Injectable()
export class AttemptOutput {
  constructor(
    private readonly live: LiveOutput,
    private readonly watch: StreamWatch,
  ) {}

  /** Live output until the execution has an event after this version. @param signal ends it, with its reason */
  async *untilNews(
    executionId: string,
    version: number,
    source: OutputSource | null,
    sent: Sent,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const news = new AbortController();
    const over = AbortSignal.any([signal, news.signal]);
    const watching = this.watch.beyond(executionId, version, over).then(() => news.abort());
    try {
      while (source !== null && !over.aborted) yield* this.fresh(source, sent, over);
      await watching;
    } finally {
      news.abort();
    }
    signal.throwIfAborted();
  }

  /** Yields each byte once and in order. A chunk that is not the next one is a repeat or too early: it is skipped. */
  private async *fresh(source: OutputSource, sent: Sent, over: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.live.read(source, over)) {
        const bytes = continued(chunk, sent.bytes);
        if (bytes === null) continue;
        sent.bytes += bytes.length;
        yield bytes;
      }
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      await delay(LIVE_RETRY_MS, { signal: over });
    }
  }
}

/** Null while no attempt runs, and for an external execution. */
export function sourceOf(
  state: ExecutionState,
  executionId: string,
  stream: OutputSource['stream'],
): OutputSource | null {
  if (state.status !== 'running' && state.status !== 'cancelling') return null;
  const { attempt, lease_token: leaseToken } = state;
  return leaseToken === null ? null : liveSource({ executionId, attempt, leaseToken }, stream);
}

/** What the follower does not have yet. */
export function restOf(content: Uint8Array, sent: Sent): Uint8Array {
  const bytes = content.subarray(sent.bytes);
  sent.bytes += bytes.length;
  return bytes;
}

function continued({ offset, bytes }: OutputChunk, sent: number): Uint8Array | null {
  if (offset > sent || offset + bytes.length <= sent) return null;
  return bytes.subarray(sent - offset);
}
